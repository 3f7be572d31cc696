#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""check_manifests.py FILE - what must hold of every rendering of the chart, whatever its values. Prints what
does not; nothing is good."""
import sys

import yaml

NEEDED = {"BPF", "PERFMON", "NET_ADMIN", "SYS_PTRACE", "DAC_READ_SEARCH"}
ON_REQUEST = {"SYS_ADMIN", "SYS_RESOURCE"}
WRITABLE = {"/run/memswell", "/var/log/memswell"}


def faults_of_pod(spec, comments):
    container, = spec["containers"]
    context = container["securityContext"]
    added = context["capabilities"]["add"]
    volumes = {volume["name"]: volume for volume in spec["volumes"]}
    mounts = {mount["name"]: mount for mount in container["volumeMounts"]}
    writable = {m["mountPath"] for m in mounts.values() if not m.get("readOnly")}
    yield spec["hostPID"] is True, "hostPID is missing"
    yield not (spec.get("hostNetwork") or spec.get("hostIPC")), "shares the host's network or IPC"
    yield spec["automountServiceAccountToken"] is False, "a service account's token is mounted"
    yield context["privileged"] is False, "privileged"
    yield context["allowPrivilegeEscalation"] is False, "allowPrivilegeEscalation"
    yield context["readOnlyRootFilesystem"] is True, "the root file system is writable"
    yield context["capabilities"]["drop"] == ["ALL"], "not all capabilities are dropped first"
    yield NEEDED <= set(added) <= NEEDED | ON_REQUEST, f"capabilities {added}"
    yield all(any(line.strip().startswith(f"- {name} # ") for line in comments) for name in added), \
        "a capability without its reason"
    yield spec["securityContext"]["seccompProfile"]["type"] != "Unconfined", "no seccomp profile"
    yield writable <= WRITABLE, f"writable mounts {sorted(writable)}"
    yield set(mounts) == set(volumes), "volumes and mounts do not match"
    yield all(set(v) == {"name", "hostPath"} and v["hostPath"]["type"] for v in volumes.values()), \
        "a volume that is no typed hostPath"
    yield not any("sock" in v["hostPath"]["path"] or v["hostPath"]["path"] in
                  ("/", "/run", "/var", "/var/run", "/etc", "/proc", "/run/containerd")
                  for v in volumes.values()), "a mount reaches a runtime's socket"
    yield "health" in container["livenessProbe"]["exec"]["command"], "liveness is not the loop's age"
    yield {"operator": "Exists"} in spec["tolerations"], "some nodes are left out"
    yield "memory" in container["resources"]["limits"], "no memory limit"
    yield "cpu" not in container["resources"]["limits"], "a CPU limit loses events"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        text = file.read()
    documents = [document for document in yaml.safe_load_all(text) if document]
    kinds = [document["kind"] for document in documents]
    if set(kinds) - {"Namespace", "NetworkPolicy", "PodMonitor", "DaemonSet"} or kinds.count("DaemonSet") != 1:
        print(f"kinds are {kinds}")
    for document in documents:
        if document["kind"] != "DaemonSet":
            continue
        spec = document["spec"]["template"]["spec"]
        for holds, fault in faults_of_pod(spec, text.splitlines()):
            if not holds:
                print(fault)


if __name__ == "__main__":
    main()

#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
"""pod_of.py MANIFESTS NODE STATE_DIRECTORY - prints the pod that the DaemonSet in MANIFESTS describes, for
`podman kube play` (4.3, which takes no DaemonSet). What is changed is in changes(), each with its reason;
capabilities, user, namespaces, file systems, limits, command and probe are those of the DaemonSet."""
import copy
import sys

import yaml


def changes(pod, node, state_directory):
    spec = pod["spec"]
    container = spec["containers"][0]
    # podman knows the pod's own fields only, not which node it is on, and expands no $(VARIABLE).
    container["env"] = []
    container["args"] = [argument.replace("$(NODE_NAME)", node) for argument in container["args"]]
    # The default profile of this podman lets bpf() to CAP_SYS_ADMIN only; so the project's own, which
    # podman takes by the older annotation.
    spec["securityContext"].pop("seccompProfile")
    pod["metadata"]["annotations"]["container.seccomp.security.alpha.kubernetes.io/memswell"] = \
        "localhost/memswell.json"
    # Its containers are described elsewhere than containerd's.
    for volume in spec["volumes"]:
        if volume["name"] == "runtime-state-0":
            was, volume["hostPath"]["path"] = volume["hostPath"]["path"], state_directory
            for mount in container["volumeMounts"]:
                if mount["mountPath"] == "/host" + was:
                    mount["mountPath"] = "/host" + state_directory


def main():
    manifests, node, state_directory = sys.argv[1:]
    with open(manifests, encoding="utf-8") as file:
        daemon_set, = (d for d in yaml.safe_load_all(file) if d and d["kind"] == "DaemonSet")
    template = copy.deepcopy(daemon_set["spec"]["template"])
    template["metadata"]["name"] = daemon_set["metadata"]["name"]
    pod = {"apiVersion": "v1", "kind": "Pod", **template}
    changes(pod, node, state_directory)
    yaml.safe_dump(pod, sys.stdout, sort_keys=False)


if __name__ == "__main__":
    main()

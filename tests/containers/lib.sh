# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
# shellcheck shell=bash disable=SC2034 # variables are for the scripts that source this
#
# lib.sh - a machine of our own inside this one, with real container runtimes: a mount namespace in which
# /run and /var/lib are ours, so that every runtime finds its state, and memswell every container, where
# they are anywhere; and a network namespace with a bridge. Nothing of the host's own runtimes, images and
# networks is seen or changed; what runs in the machine ends with the rig, however that ends.
# Processes and cgroups are the host's, under the names that the runtimes give them.
#
# After machine_start everything that tests/live/lib.sh starts (gateway, load, watch_host) is inside.
. "$(dirname "${BASH_SOURCE[0]}")/../live/lib.sh"
CONTAINERS_DIR=$TOP_DIR/tests/containers
IMAGES=$TOP_DIR/$BUILD/containers
BRIDGE_ADDRESS=10.88.0.1
PAUSE_IMAGE=registry.example/pause:3.9
BUSYBOX=$(command -v busybox) || BUSYBOX=

# machine_start: sets MACHINE, a process in it, and INSIDE, the command that enters it. The runtimes'
# files are in $RIG/machine/run and $RIG/machine/lib.
machine_start() {
	local dir=$RIG/machine
	mkdir -p "$dir"/{run,lib,cni,etc}
	machine_network >"$dir/cni/rig.conflist"
	mount_namespace "mount --bind $dir/run /run && mount --bind $dir/lib /var/lib && ip link set lo up" -n ||
		return 1
	MACHINE=$HOLDER
	INSIDE=(nsenter -t "$MACHINE" -m -n)
	grep "^$MACHINE " "$RIG/processes" >>"$RIG/machines"
}
inside() { "${INSIDE[@]}" "$@"; } # COMMAND..., with absolute paths: it begins in /

await() { # SECONDS COMMAND...: until it succeeds
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep $POLL_S
	done
}

# Containers get addresses on a bridge, the host in $BRIDGE_ADDRESS; no packet leaves the machine.
machine_network() {
	cat <<-JSON
	{ "cniVersion": "0.4.0", "name": "rig", "plugins": [ {
		"type": "bridge", "bridge": "rig0", "isGateway": true, "ipMasq": false,
		"ipam": { "type": "host-local", "dataDir": "/run/cni",
			"ranges": [ [ { "subnet": "${BRIDGE_ADDRESS%.*}.0/24" } ] ] } } ] }
	JSON
}

# machine_cgroup PATH: a cgroup, of a pod or a container, that is ours in every hierarchy. Said before
# something is started in it, so that it is cleaned up whatever happens.
machine_cgroup() {
	[[ $1 =~ [0-9a-f-]{32} ]] || return 1 # nothing that could be another's
	echo "${1#/}" >>"$RIG/pods"
}

# What every test of containers needs, or the reason why it is skipped. PROGRAM...: and what this one does.
require_containers() {
	local program
	require_rig
	for program in ip runc busybox "$@"; do
		command -v "$program" >/dev/null || skip_all "$program is missing"
	done
	[ -x /usr/lib/cni/bridge ] || skip_all "no CNI plugins"
	rig_start
	images_build || skip_all "the images cannot be built"
	machine_start || skip_all "no namespaces of our own: $(tail -n 1 "$RIG/holder.log")"
}

# Images ------------------------------------------------------------------------------------------

# image_archive FILE REFERENCE ROOT COMMAND...: an archive that any runtime loads, of one layer.
image_archive() {
	local file=$1 reference=$2 root=$3 dir sum command
	shift 3
	dir=$(mktemp -d "$IMAGES/archive.XXXXXX") || return 1
	command=$(printf '"%s",' "$@")
	tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$root" -cf "$dir/layer.tar" .
	sum=$(sha256sum "$dir/layer.tar")
	cat >"$dir/config.json" <<-JSON
	{ "architecture": "$(image_architecture)", "os": "linux",
	  "config": { "Entrypoint": [ ${command%,} ] },
	  "rootfs": { "type": "layers", "diff_ids": [ "sha256:${sum%% *}" ] } }
	JSON
	cat >"$dir/manifest.json" <<-JSON
	[ { "Config": "config.json", "RepoTags": [ "$reference" ], "Layers": [ "layer.tar" ] } ]
	JSON
	tar -C "$dir" -cf "$dir/archive" manifest.json config.json layer.tar && mv "$dir/archive" "$file"
	rm -rf "$dir"
}

image_architecture() {
	case $(uname -m) in
	aarch64) echo arm64 ;;
	*) echo amd64 ;;
	esac
}

# with_libraries ROOT PROGRAM: copies a program and what it is linked with into ROOT/usr/bin and where the
# linker looks for the rest.
with_libraries() {
	local root=$1 program=$2 library
	mkdir -p "$root/usr/bin"
	cp -L "$program" "$root/usr/bin/"
	for library in $(ldd "$program" | grep -oE '/[^ ]+'); do
		mkdir -p "$root$(dirname "$library")"
		cp -L "$library" "$root$library"
	done
}

# images_build: what the tests run, in $IMAGES: the leaking service of tests/live/workloads, and the
# process that holds a pod together. Built again when what is in them is newer.
SERVICE_IMAGE=registry.example/shop/checkout-api:1.4.2
images_build() {
	local node root
	node=$(readlink -f "$NODE")
	mkdir -p "$IMAGES"
	root=$(mktemp -d "$IMAGES/root.XXXXXX") || return 1
	if [ "$node" -nt "$IMAGES/service.tar" ] || [ "$WORKLOADS/leak.js" -nt "$IMAGES/service.tar" ]; then
		mkdir -p "$root"/service/{srv,tmp}
		with_libraries "$root/service" "$node"
		cp "$WORKLOADS/leak.js" "$root/service/srv/"
		image_archive "$IMAGES/service.tar" $SERVICE_IMAGE "$root/service" \
			/usr/bin/node /srv/leak.js --address 0.0.0.0 --port 8080
	fi
	if [ "$BUSYBOX" -nt "$IMAGES/pause.tar" ]; then
		mkdir -p "$root/pause/bin"
		cp -L "$BUSYBOX" "$root/pause/bin/busybox"
		image_archive "$IMAGES/pause.tar" $PAUSE_IMAGE "$root/pause" /bin/busybox sleep inf
	fi
	rm -rf "$root"
}

# podman ------------------------------------------------------------------------------------------

# podman_start [CGROUP_MANAGER]: afterwards machine_podman is podman with storage of its own, and the
# images of images_build are in it.
podman_start() {
	cat >"$RIG/machine/etc/containers.conf" <<-CONF
	[containers]
	cgroups = "no-conmon"
	default_ulimits = ["nofile=20000:20000", "nproc=32768:32768"]
	log_driver = "k8s-file"
	[engine]
	cgroup_manager = "${1:-cgroupfs}"
	events_logger = "file"
	infra_image = "$PAUSE_IMAGE"
	runtime = "runc"
	[network]
	network_backend = "cni"
	network_config_dir = "$RIG/machine/cni"
	cni_plugin_dirs = ["/usr/lib/cni"]
	default_network = "rig"
	CONF
	cat >"$RIG/machine/etc/storage.conf" <<-CONF
	[storage]
	driver = "overlay"
	graphroot = "/var/lib/containers/storage"
	runroot = "/run/containers/storage"
	CONF
	machine_podman load -q -i "$IMAGES/pause.tar" && machine_podman load -q -i "$IMAGES/service.tar"
}

machine_podman() {
	CONTAINERS_CONF=$RIG/machine/etc/containers.conf CONTAINERS_STORAGE_CONF=$RIG/machine/etc/storage.conf \
		inside podman "$@"
}

# podman_run NAME OPTION... IMAGE [ARGUMENT...]: a container as `podman run -d` makes it. Sets CONTAINER_ID.
podman_run() {
	local name=$1
	shift
	CONTAINER_ID=$(machine_podman create --name "$name" "$@") || return 1
	machine_cgroup "libpod_parent/libpod-$CONTAINER_ID"
	machine_podman start "$CONTAINER_ID" >/dev/null
}

# podman_play FILE POD: makes and starts the pod of that name of a Kubernetes manifest. Sets POD_ID.
podman_play() {
	machine_podman kube play --start=false "$1" >"$RIG/play.log" 2>&1 || return 1
	POD_ID=$(machine_podman pod inspect "$2" --format '{{.ID}}') || return 1
	machine_cgroup "libpod_parent/$POD_ID"
	machine_podman pod start "$POD_ID" >/dev/null
}

podman_address() { # CONTAINER: its address on the bridge
	machine_podman inspect "$1" --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'
}
podman_pid() { machine_podman inspect "$1" --format '{{.State.Pid}}'; } # CONTAINER

# podman_lives CONTAINER: keeps it alive as a supervisor would, from now on: started again a second after
# each death, until $RIG/service.stop exists. Truth as `supervise` writes it, in $RIG/service.lives.
podman_lives() {
	(
		trap - EXIT INT TERM HUP
		rig_register
		while [ ! -e "$RIG/service.stop" ]; do
			pid=$(podman_pid "$1")
			echo "start $pid $(now_ms)"
			machine_podman wait "$1" >/dev/null
			echo "end $pid $(machine_podman inspect "$1" --format \
				'{{.State.ExitCode}} {{.State.FinishedAt.UnixMilli}}')"
			sleep 1
			machine_podman start "$1" >/dev/null
		done
	) >"$RIG/service.lives" 2>"$RIG/lives.log" </dev/null &
	disown
}

# containerd --------------------------------------------------------------------------------------

CRI_SOCKET=/run/containerd/containerd.sock

# containerd_start [CGROUP_DRIVER]: containerd with its CRI, cgroupfs or systemd, and the images of
# images_build in it. Its log is $RIG/containerd.log.
containerd_start() {
	local image driver=${1:-cgroupfs}
	CRI_DRIVER=$driver
	cat >"$RIG/machine/etc/containerd.toml" <<-TOML
	version = 2
	[plugins."io.containerd.grpc.v1.cri"]
	sandbox_image = "$PAUSE_IMAGE"
	restrict_oom_score_adj = true
	[plugins."io.containerd.grpc.v1.cri".cni]
	bin_dir = "/usr/lib/cni"
	conf_dir = "$RIG/machine/cni"
	[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
	runtime_type = "io.containerd.runc.v2"
	[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
	SystemdCgroup = $([ "$driver" = systemd ] && echo true || echo false)
	TOML
	start containerd containerd --config "$RIG/machine/etc/containerd.toml"
	await 20 inside test -S $CRI_SOCKET || return 1
	for image in pause service; do
		inside ctr -n k8s.io images import "$IMAGES/$image.tar" || return 1
	done
	await 20 cri Version
}

# cri METHOD [JSON]: a call as a kubelet makes it; prints the response.
cri() { inside "$NODE" "$CONTAINERS_DIR/cri.js" $CRI_SOCKET "$@"; }

# cri_pod NAME NAMESPACE QOS [JQ_FILTER]: a pod, whose configuration the filter changes; QOS is guaranteed,
# burstable or besteffort. Sets POD_ID, POD_UID, POD_ADDRESS, and POD_CONFIG for its containers.
cri_pod() {
	local cgroup
	POD_UID=$(cat /proc/sys/kernel/random/uuid)
	cgroup=$(pod_cgroup "$3" "$POD_UID")
	machine_cgroup "$cgroup"
	POD_CONFIG=$(jq -cn --arg name "$1" --arg namespace "$2" --arg uid "$POD_UID" --arg cgroup "$cgroup" '
		{ metadata: { $name, $namespace, $uid }, linux: { cgroup_parent: $cgroup } } | '"${4:-.}") || return 1
	POD_ID=$(cri RunPodSandbox "$(jq -cn --argjson config "$POD_CONFIG" '{ $config }')" |
		jq -re .pod_sandbox_id) || return 1
	POD_ADDRESS=$(cri PodSandboxStatus "{\"pod_sandbox_id\":\"$POD_ID\"}" | jq -r .status.network.ip)
}

# pod_cgroup QOS UID: where a kubelet puts a pod of that class, with the driver of containerd_start.
pod_cgroup() {
	local class=${1#guaranteed} uid=${2//-/_}
	if [ "$CRI_DRIVER" = systemd ]; then
		echo "/kubepods.slice${class:+/kubepods-$class.slice}/kubepods${class:+-$class}-pod$uid.slice"
	else
		echo "/kubepods${class:+/$class}/pod$2"
	fi
}

# cri_container NAME MIB ATTEMPT [ARGUMENT...]: the leaking service as a container of the pod of cri_pod.
# Sets CONTAINER_ID and CONTAINER_PID.
cri_container() {
	local config
	config=$(jq -cn --arg name "$1" --argjson mib "$2" --argjson attempt "$3" --arg image $SERVICE_IMAGE '
		{ metadata: { $name, $attempt }, image: { $image }, args: $ARGS.positional,
		  linux: { resources: { memory_limit_in_bytes: ($mib * 1048576) } } }' --args -- "${@:4}")
	CONTAINER_ID=$(cri CreateContainer "$(jq -cn --arg pod_sandbox_id "$POD_ID" \
		--argjson config "$config" --argjson sandbox_config "$POD_CONFIG" \
		'{ $pod_sandbox_id, $config, $sandbox_config }')" | jq -re .container_id) || return 1
	cri StartContainer "{\"container_id\":\"$CONTAINER_ID\"}" >/dev/null || return 1
	CONTAINER_PID=$(cri_status "$CONTAINER_ID" | jq '.info.info | fromjson | .pid')
}

cri_status() { cri ContainerStatus "{\"container_id\":\"$1\",\"verbose\":true}"; } # CONTAINER

# cri_lives NAME MIB [ARGUMENT...]: the container of the pod of cri_pod as a kubelet keeps it: a new one a
# second after each death, with the next attempt, until $RIG/service.stop exists; the dead one is removed
# then. Truth as `supervise` writes it in $RIG/service.lives, the ids one per life in $RIG/service.ids.
cri_lives() {
	(
		trap - EXIT INT TERM HUP
		rig_register
		for ((attempt = 0; ; attempt++)); do
			before=${CONTAINER_ID-}
			[ ! -e "$RIG/service.stop" ] && cri_container "$1" "$2" $attempt "${@:3}" || break
			echo "$CONTAINER_ID" >>"$RIG/service.ids"
			echo "start $CONTAINER_PID $(now_ms)"
			[ -z "$before" ] || cri RemoveContainer "{\"container_id\":\"$before\"}" >/dev/null
			tail --pid="$CONTAINER_PID" -s 0.2 -f /dev/null
			sleep 1
			cri_status "$CONTAINER_ID" | jq -r --arg pid "$CONTAINER_PID" \
				'.status | "end \($pid) \(.exit_code) \(.finished_at / 1000000 | floor)"'
		done
	) >"$RIG/service.lives" 2>"$RIG/lives.log" </dev/null &
	disown
}

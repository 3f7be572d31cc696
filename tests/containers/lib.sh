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

# machine_whole: instead of machine_start where this whole machine is ours, a guest, whose first process
# is systemd and which has nothing to lose. Its network is the host's.
machine_whole() {
	local dir
	mkdir -p "$RIG"/machine/{cni,etc} /var/lib/containers /var/lib/containerd
	for dir in containers containerd; do # no overlay can be on one
		mount -t tmpfs tmpfs /var/lib/$dir || return 1
	done
	INSIDE=()
}

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
	[[ $1 =~ [0-9a-f_-]{32} ]] || return 1 # nothing that could be another's
	echo "${1#/}" >>"$RIG/pods"
}

# What every test of containers needs, or the reason why it is skipped. PROGRAM...: and what this one does.
# SERVICE_PORT is where the service shall listen.
require_containers() {
	local program
	require_rig
	for program in ip runc busybox "$@"; do
		command -v "$program" >/dev/null || skip_all "$program is missing"
	done
	[ -x /usr/lib/cni/bridge ] || skip_all "no CNI plugins"
	rig_start
	SERVICE_PORT=$(free_ports 1) # ours alone, by which check_incident.py knows what is about us
	images_build || skip_all "the images cannot be built"
	machine_start || skip_all "no namespaces of our own: $(tail -n 1 "$RIG/holder.log")"
}

# death_in_container ADDRESS [COMMAND...]: the service there, whose lives go to $RIG/service.lives, behind an
# nginx of the host, under load until it has died, the COMMAND has ended, and it lives again, with memswell
# watching. Sets CULPRIT.
death_in_container() {
	local port address=$1
	shift
	port=$(free_ports 1)
	gateway "$port" "$address:$SERVICE_PORT"
	GATEWAY_UPSTREAM=$SERVICE_PORT
	require_watch --tick 1s
	load load "$port" 25 60
	CULPRIT=$(service_pid service)
	await_lives service end 1 40 && "${@:-true}" && await_lives service start 2 10 && sleep 3
	load_stop
	sleep 0.5
	watch_stop
}

# check_death KEY=VALUE...: one incident about it, and it says whose the process was. A runtime's clock of an
# exit is that of the process that reaps it.
check_death() {
	check_incident --verdict memory_death --cause native_leak,heap_leak,large_payload,unknown_growth \
		--culprit "$CULPRIT" --detail oom_kill=true --detail memcg_oom=true --clock-slack-ms 500
	check_identity "$CULPRIT" "$@"
	check_stream
}

check_identity() { # PID [--only PLACE,...] KEY=VALUE...: see check_identity.py
	"$PYTHON" "$CONTAINERS_DIR/check_identity.py" --name "$NAME" "$RIG/reports.jsonl" --pid "$@" || FAILED=1
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

# images_build: what the tests run, in $IMAGES: the leaking service of tests/live/workloads, the same with
# what it runs on to be mounted into it (thin: for guests, where to unpack 100 MB takes long), and the
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
			/usr/bin/node /srv/leak.js --address 0.0.0.0
	fi
	if [ "$WORKLOADS/leak.js" -nt "$IMAGES/thin.tar" ]; then
		mkdir -p "$root"/thin/{srv,tmp,usr,lib,lib64}
		cp "$WORKLOADS/leak.js" "$root/thin/srv/"
		image_archive "$IMAGES/thin.tar" $SERVICE_IMAGE "$root/thin" "$node" /srv/leak.js
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
	machine_podman load -q -i "$IMAGES/pause.tar" &&
		machine_podman load -q -i "$IMAGES/${SERVICE_ARCHIVE:-service}.tar"
}

machine_podman() {
	inside env CONTAINERS_CONF="$RIG/machine/etc/containers.conf" \
		CONTAINERS_STORAGE_CONF="$RIG/machine/etc/storage.conf" podman "$@"
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
	: >"$RIG/service.lives"
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
	) >>"$RIG/service.lives" 2>"$RIG/lives.log" </dev/null &
	disown
}

# podman_service NAME: the leaking service as a container with little memory, kept alive; it lives when this
# returns. Sets CONTAINER_ID, and ADDRESS.
podman_service() {
	podman_run "$1" --ip "${BRIDGE_ADDRESS%.*}.10" --memory 160m --memory-swap 160m $SERVICE_IMAGE \
		--bytes 800000 --mode buffer --port "$SERVICE_PORT"
	podman_lives "$1"
	await_lives service start 1 10
	ADDRESS=$(podman_address "$1")
}

# containerd --------------------------------------------------------------------------------------

CRI_SOCKET=/run/containerd/containerd.sock

# containerd_start [CGROUP_DRIVER]: containerd with its CRI, cgroupfs or systemd, and the images of
# images_build in it. Its log is $RIG/containerd.log. CRI_RUNTIME_LINES are added about the runtime.
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
	${CRI_RUNTIME_LINES-}
	[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
	SystemdCgroup = $([ "$driver" = systemd ] && echo true || echo false)
	TOML
	start containerd containerd --config "$RIG/machine/etc/containerd.toml"
	cri_client
	await 150 inside test -S $CRI_SOCKET || return 1
	for image in pause "${SERVICE_ARCHIVE:-service}"; do
		inside ctr -n k8s.io images import "$IMAGES/$image.tar" || return 1
	done
	cri Version
}

# One process for all calls: to start one takes longer than most calls do. Pipes that are open for both
# directions neither block nor end.
cri_client() {
	mkfifo "$RIG/cri.requests" "$RIG/cri.responses"
	exec {CRI_REQUESTS}<>"$RIG/cri.requests" {CRI_RESPONSES}<>"$RIG/cri.responses"
	start cri "$NODE" "$CONTAINERS_DIR/cri.js" $CRI_SOCKET "$RIG/cri.requests" "$RIG/cri.responses"
}

# cri METHOD [JSON]: a call as a kubelet makes it; prints the response, or on stderr why there is none.
cri() {
	local lock response empty='{}'
	exec {lock}>"$RIG/cri.lock"
	flock "$lock"
	echo "$1 ${2:-$empty}" >&"$CRI_REQUESTS"
	read -r -t 90 -u "$CRI_RESPONSES" response || response="error $1: no response"
	exec {lock}>&-
	[[ $response != error\ * ]] || { echo "cri: ${response#error }" >&2 && return 1; }
	echo "$response"
}

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
	POD_ADDRESS=$(cri PodSandboxStatus "{\"pod_sandbox_id\":\"$POD_ID\"}" |
		jq -r '.status.network.ip // empty')
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

# cri_container NAME MIB ATTEMPT [ARGUMENT...]: the leaking service as a container of the pod of cri_pod, with
# what the jq filter CRI_CONTAINER_FILTER changes. Sets CONTAINER_ID and CONTAINER_PID.
cri_container() {
	local config
	config=$(jq -cn --arg name "$1" --argjson mib "$2" --argjson attempt "$3" --arg image $SERVICE_IMAGE '
		{ metadata: { $name, $attempt }, image: { $image }, args: $ARGS.positional,
		  linux: { resources: { memory_limit_in_bytes: ($mib * 1048576) } } } | '"${CRI_CONTAINER_FILTER:-.}" \
		--args -- "${@:4}") || return 1
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
	: >"$RIG/service.lives"
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
	) >>"$RIG/service.lives" 2>"$RIG/lives.log" </dev/null &
	disown
}

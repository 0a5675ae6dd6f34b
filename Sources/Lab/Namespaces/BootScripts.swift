/// The shell that makes the lab's namespaces and hands over to the programs that live in them.
///
/// Shell, because every step is a call of `ip`, `mount` or `unshare`, and because namespaces are entered before a program
/// starts: a process with threads cannot. Nothing is filled in: what differs between labs is in the environment.
enum BootScripts {
    static let all = [
        "common.sh": common, "launch.sh": launch, "host.sh": host, "network.sh": network, "machine.sh": machine,
        "machine-init.sh": machineInit,
    ]

    /// Functions of the others.
    static let common = #"""
        # join_cgroup NAME: a group of that name below ours in every hierarchy, with this shell in it
        join_cgroup() {
            local hierarchy group file controller
            if [ -e /sys/fs/cgroup/cgroup.controllers ]; then # cgroup v2
                for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do
                    echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control || true
                done
                mkdir -p "/sys/fs/cgroup/$1"
                echo $$ > "/sys/fs/cgroup/$1/cgroup.procs"
                return
            fi
            for hierarchy in /sys/fs/cgroup/*/; do
                # folders that are no hierarchy
                [ -e "$hierarchy/cgroup.procs" ] || continue
                group=$hierarchy/$1
                mkdir -p "$group"
                for file in cpuset.cpus cpuset.mems; do
                    if [ -e "$group/$file" ]; then cat "$hierarchy/$file" > "$group/$file"; fi
                done
                echo $$ > "$group/cgroup.procs"
            done
        }

        # cgroup_mounts: folder and options of every cgroup v1 mount, hidden ones not twice, and of the cgroup2 of a hybrid:
        # systemd and runc use that one too, and would meet each other's groups in it
        cgroup_mounts() {
            awk '$3 == "cgroup" { print $2, $4 } $3 == "cgroup2" && $2 != "/sys/fs/cgroup" { print $2, "cgroup2" }' /proc/mounts | sort -u
        }

        # mount_cgroups ROOT MOUNTS: the hierarchies anew, seen from our own cgroup namespace
        mount_cgroups() {
            local folder options name
            if [ -z "$2" ]; then
                mount -n -t cgroup2 cgroup2 "$1/sys/fs/cgroup"
                return
            fi
            mount -n -t tmpfs -o mode=755 tmpfs "$1/sys/fs/cgroup"
            while read -r folder options; do
                if [ "$options" = cgroup2 ]; then
                    mkdir -p "$1$folder"
                    mount -n -t cgroup2 cgroup2 "$1$folder"
                    continue
                fi
                options=$(tr , '\n' <<< "$options" |
                    grep -vxE 'rw|ro|nosuid|nodev|noexec|relatime|xattr|clone_children|release_agent=.*' | paste -sd,)
                case $options in name=*) options=none,$options ;; esac
                mkdir -p "$1$folder"
                mount -n -t cgroup -o "$options" cgroup "$1$folder"
                for name in $(tr , ' ' <<< "${folder##*/}"); do
                    [ -e "$1/sys/fs/cgroup/$name" ] || ln -s "${folder##*/}" "$1/sys/fs/cgroup/$name"
                done
            done <<< "$2"
        }

        # seal_proc ROOT: the kernel's settings are the computer's; only those of our own network may be written.
        # A kubelet writes a few others unless they have its values: files stand in for these.
        seal_proc() {
            local setting stand_in
            mount -n --bind "$1/proc/sys" "$1/proc/sys"
            mount -n -o remount,bind,ro "$1/proc/sys"
            mount -n --bind "$1/proc/sys/net" "$1/proc/sys/net"
            mount -n -o remount,bind,rw "$1/proc/sys/net"
            mkdir -p "$1/run/lab-sysctl"
            for setting in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops \
                kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
                if [ ! -e "$1/proc/sys/$setting" ]; then continue; fi
                stand_in=$1/run/lab-sysctl/${setting//\//.}
                cat "$1/proc/sys/$setting" > "$stand_in"
                mount -n --bind "$stand_in" "$1/proc/sys/$setting"
            done
            if [ -e "$1/proc/sysrq-trigger" ]; then mount -n --bind /dev/null "$1/proc/sysrq-trigger"; fi
        }

        """#

    /// In the computer's namespaces: enter the lab's cgroups and network, lay the link, go on in the other namespaces.
    static let launch = #"""
        set -eu
        . "$BOOT/common.sh"
        join_cgroup "$CGROUP"
        exec setsid --fork unshare --net bash -eu -c '
            ip link add uplink type veth peer name "$LINK" netns "$COMPUTER_PID"
            exec unshare --mount --uts --ipc --pid --cgroup --fork --propagation private bash "$BOOT/host.sh" "$@"
        ' lab "$@" </dev/null >>"$BOOT_LOG" 2>&1

        """#

    /// Process 1 of the lab. When it ends, everything in the lab does, and nothing of it is left but files and cgroups.
    static let host = #"""
        set -eu
        # This is still the computer's /proc: number and start time by which the computer knows this process.
        read -r -a own < /proc/self/stat
        echo "${own[0]} ${own[21]}" > "$PROCESS_FILE.partial"
        . "$BOOT/common.sh"
        hostname "$NODE"
        mounts=$(cgroup_mounts)
        mount -n -t proc proc /proc
        mount -n -t sysfs sysfs /sys

        # replace FOLDER: an empty folder of our own, in which the cache is still found if it lies there
        replace() {
            mkdir -p "$STATE/stage"
            mount -n -t tmpfs -o mode=755 tmpfs "$STATE/stage"
            case $CACHE/ in
            "$1"/*)
                mkdir -p "$STATE/stage/${CACHE#"$1"/}"
                mount -n --bind "$CACHE" "$STATE/stage/${CACHE#"$1"/}"
                ;;
            esac
            mount -n --move "$STATE/stage" "$1"
        }
        replace /run
        mkdir -p /run/lock /run/netns /run/tmp
        replace /var/lib
        for folder in etcd containerd kubelet cni; do
            mkdir -p "$STATE/disk/$folder" "/var/lib/$folder"
            mount -n --bind "$STATE/disk/$folder" "/var/lib/$folder"
        done
        replace /var/log
        mount -n --bind "$STATE/log/pods" /var/log
        # Where the operator's manifests look for artifacts: the cache, read-only.
        replace /var/cache
        if [ ! -e /var/cache/nestbox ]; then
            mkdir /var/cache/nestbox
            mount -n --bind "$CACHE" /var/cache/nestbox
            mount -n -o remount,bind,ro /var/cache/nestbox
        fi
        mount_cgroups "" "$mounts"
        if [ -z "$mounts" ]; then # cgroup v2 wants no process in a group that has groups
            mkdir -p /sys/fs/cgroup/supervisor
            echo 0 > /sys/fs/cgroup/supervisor/cgroup.procs
            for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" > /sys/fs/cgroup/cgroup.subtree_control || true; done
        fi
        seal_proc ""
        # kubelet passes mounts on to pods that ask for it
        mount -n --make-rshared /
        bash "$BOOT/network.sh"
        mv "$PROCESS_FILE.partial" "$PROCESS_FILE"

        # Process 1 takes in orphans (containerd leaves its shims to it); bash does that for us.
        trap '' HUP # an order that comes before the supervisor listens must not end it: it has not read the lab's file yet
        "$@" &
        supervisor=$!
        trap 'kill -TERM $supervisor' TERM
        trap 'kill -HUP $supervisor' HUP
        while kill -0 $supervisor 2>/dev/null; do wait $supervisor || true; done

        """#

    /// The host's network: the link, the machines' switch, and what may pass between them.
    static let network = #"""
        set -eu
        ip link set lo up
        ip addr add "$HOST_IP/30" dev uplink
        ip link set uplink up
        # No default route: nothing here reaches further than the computer itself. Services are translated on the way out,
        # and that takes a route.
        ip route add "$SERVICES" dev uplink
        echo 1 > /proc/sys/net/ipv4/ip_forward

        # The switch is a network namespace of its own, so that what goes between machines meets no rule of the host.
        ip netns add switch
        ip -n switch link add machines type bridge
        ip -n switch link set machines up
        ip link add machines0 type veth peer name host netns switch
        ip -n switch link set host master machines up
        # IPv6 has no business here, and its link-local addresses would be a way around the rules below.
        echo 1 > /proc/sys/net/ipv6/conf/machines0/disable_ipv6 2>/dev/null || true
        ip addr add "$GATEWAY/24" dev machines0
        ip link set machines0 up

        # The host's further nodes, if it has any: another bridge, on which nothing is filtered.
        if [ -n "${HOST_NODES:-}" ]; then
            ip -n switch link add hosts type bridge
            ip -n switch link set hosts up
            ip link add hosts0 type veth peer name embedded netns switch
            ip -n switch link set embedded master hosts up
            echo 1 > /proc/sys/net/ipv6/conf/hosts0/disable_ipv6 2>/dev/null || true
            ip addr add "$HOST_NODES_GATEWAY" dev hosts0
            ip link set hosts0 up
            while read -r pods address; do ip route add "$pods" via "$address"; done <<< "$HOST_NODE_PODS"
        fi

        # Table mangle, after and before any translation: kube-proxy puts rules of its own first in nat and filter.
        # Towards machines: SSH. From machines: published ports of this host, and only where a Service answers.
        rule() { iptables -w -t mangle -A "$@"; }
        rule POSTROUTING -o machines0 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
        rule POSTROUTING -o machines0 -p tcp --dport 22 -j ACCEPT
        rule POSTROUTING -o machines0 -j DROP
        rule PREROUTING -i machines0 -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT
        rule PREROUTING -i machines0 -p tcp --dport 30000:32767 -m addrtype --dst-type LOCAL -j ACCEPT
        if [ -n "${HOST_NODES:-}" ]; then rule PREROUTING -i machines0 -p tcp --dport 30000:32767 -d "$HOST_NODES" -j ACCEPT; fi
        rule PREROUTING -i machines0 -j DROP
        rule INPUT -i machines0 -m conntrack --ctstate ESTABLISHED,RELATED,DNAT -j ACCEPT
        rule INPUT -i machines0 -j DROP

        """#

    /// Boots one machine, and ends when it is switched off.
    static let machine = #"""
        set -eu
        . "$BOOT/common.sh"
        mkdir -p "$MACHINE"/{root,upper,work,containerd,kubelet,opt}
        rm -f "$MACHINE/process"
        if [ -n "${UNITS:-}" ]; then
            # A start is from nothing. What pods of its last life left would be in the way of this one's: ptp takes a route of the same
            # address for its own, and that one goes with its old link.
            ip -n switch link delete "$NAME" 2>/dev/null || true
            ip netns delete "$NAME" 2>/dev/null || true
        fi
        if ! ip -n "$NAME" link show eth0 >/dev/null 2>&1; then
            ip netns add "$NAME"
            ip link add eth0 netns "$NAME" type veth peer name "$NAME" netns switch
            ip -n switch link set "$NAME" master "$BRIDGE" up
            ip -n "$NAME" link set lo up
            ip -n "$NAME" addr add "$ADDRESS/$PREFIX" dev eth0
            ip -n "$NAME" link set eth0 up
            ip -n "$NAME" route add default via "$GATEWAY"
            if [ -n "${ROUTES:-}" ]; then
                while read -r pods address; do ip -n "$NAME" route add "$pods" via "$address"; done <<< "$ROUTES"
            fi
        fi
        join_cgroup "machine-$NAME"
        # ip netns exec puts another /sys over this one: look before.
        CGROUP_MOUNTS=$(cgroup_mounts)
        export CGROUP_MOUNTS
        exec ip netns exec "$NAME" unshare --mount --uts --ipc --pid --cgroup --fork --kill-child \
            --propagation private bash "$BOOT/machine-init.sh"

        """#

    /// Process 1 of a machine, before systemd.
    static let machineInit = #"""
        set -eu
        # Still the host's /proc: the number by which the supervisor knows this process.
        read -r -a own < /proc/self/stat
        echo "${own[0]}" > "$MACHINE/process"
        . "$BOOT/common.sh"
        root=$MACHINE/root
        hostname "$NAME"
        mount -n -t overlay overlay -o "lowerdir=$ROOTFS,upperdir=$MACHINE/upper,workdir=$MACHINE/work" "$root"
        # overlayfs does not stack on overlayfs: what containerd and the kubelet keep lies on the real disk
        for folder in var/lib/containerd var/lib/kubelet opt; do
            mkdir -p "$root/$folder"
            mount -n --bind "$MACHINE/${folder##*/}" "$root/$folder"
        done

        if [ ! -e "$MACHINE/seeded" ]; then
            tr -d - < /proc/sys/kernel/random/uuid > "$root/etc/machine-id"
            echo "$NAME" > "$root/etc/hostname"
            printf '127.0.0.1\tlocalhost\n127.0.1.1\t%s\n' "$NAME" > "$root/etc/hosts"
            chroot "$root" ssh-keygen -q -A
            if [ "$ACCOUNT" != root ]; then
                chroot "$root" useradd --create-home --shell /bin/bash "$ACCOUNT"
                echo "$ACCOUNT ALL=(ALL) NOPASSWD:ALL" > "$root/etc/sudoers.d/$ACCOUNT"
                chmod 440 "$root/etc/sudoers.d/$ACCOUNT"
            fi
            home=$(chroot "$root" getent passwd "$ACCOUNT" | cut -d: -f6)
            mkdir -p -m 700 "$root$home/.ssh"
            cat "$AUTHORIZED_KEY" > "$root$home/.ssh/authorized_keys"
            chroot "$root" chown -R "$ACCOUNT:" "$home/.ssh"
            touch "$MACHINE/seeded"
        fi

        if [ -n "${UNITS:-}" ]; then
            # A node of the host: its programs, configuration and images lie in the cache, which is found in its own place and in
            # the one where the operator's manifests look; volumes may be written.
            for place in "$CACHE" /var/cache/nestbox; do
                mkdir -p "$root$place"
                mount -n --bind "$CACHE" "$root$place"
                mount -n -o remount,bind,ro "$root$place"
            done
            mount -n --bind "$VOLUMES" "$root$VOLUMES"
            mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
            for unit in "$UNITS"/*.service; do
                cp "$unit" "$root/etc/systemd/system/"
                ln -sf "../${unit##*/}" "$root/etc/systemd/system/multi-user.target.wants/${unit##*/}"
            done
        fi

        mount -n -t proc proc "$root/proc"
        mount -n -t sysfs sysfs "$root/sys"
        mount -n -t tmpfs -o mode=755 tmpfs "$root/run"
        mount -n -t tmpfs -o mode=755 tmpfs "$root/dev"
        for device in null zero full random urandom tty kmsg fuse; do
            if [ -e /dev/$device ]; then cp -a /dev/$device "$root/dev/$device"; fi
        done
        mkdir -p "$root/dev/pts" "$root/dev/shm"
        mount -n -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
        mount -n -t tmpfs tmpfs "$root/dev/shm"
        ln -s pts/ptmx "$root/dev/ptmx"
        ln -s /proc/self/fd "$root/dev/fd"
        touch "$root/dev/console"
        mount_cgroups "$root" "$CGROUP_MOUNTS"
        seal_proc "$root"
        # systemd takes a /sys that it may not write to for a container's, and leaves devices alone.
        mount -n -o remount,bind,ro "$root/sys"

        mkdir -p "$root/old"
        cd "$root"
        pivot_root . old
        umount -n -l /old
        rmdir /old
        exec env -i container=nspawn PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init

        """#
}

/// Full and read-only filesystems.
enum RepairDisk {
    private static let folders = "/ /etc /var/log /var/lib/kubelet \(NodePaths.containerdState) /run"

    /// What the kubelet's own collection spares, and what of ours nothing can bring back: images that were pushed.
    private static let kept = "*/pause:*|*/kube-proxy:*|nestbox.dev/*"

    static func step(_ limits: RepairLimits) -> Step {
        RepairLook(subject: .disk, look: look(limits), mend: mend).step("Disk", timeout: .seconds(180))
    }

    static func look(_ limits: RepairLimits, folders: String = folders) -> String {
        """
        for folder in \(folders); do
            [ -d "$folder" ] || continue
            [ -w "$folder" ] || echo "$folder cannot be written to"
            timeout 10 df -Pk "$folder" 2>/dev/null | awk -v least=\(limits.diskMiB) '
                NR == 2 && $2 > 0 && $4 < least * 1024 { print "the disk of " $6 " is full (" int($4 / 1024) " MiB free)" }' || true
            timeout 10 df -Pi "$folder" 2>/dev/null | awk -v least=\(limits.inodes) '
                NR == 2 && $2 > least * 10 && $4 ~ /^[0-9]+$/ && $4 < least { print "the disk of " $6 " has no inodes left (" $4 " free)" }' ||
                true
        done | sort -u | paste -sd, - | sed 's/,/, /g'
        """
    }

    /// Only what nobody misses: what we pushed and is imported, old journals, and images that no container uses and a registry has.
    private static let mend = """
        freed() { timeout 10 df -Pk / /var/log \(NodePaths.containerdState) 2>/dev/null | awk 'NR > 1 { sum += $4 } END { print sum }'; }
        case $words in
        *" is full "* | *" no inodes "*) ;;
        *) return 0 ;;
        esac
        before=$(freed)
        rm -f \(NodePaths.root)/images/*.tar \(NodePaths.configuration)/*.new
        timeout 60 journalctl --quiet --vacuum-size=64M 2>/dev/null || true
        ctr() { timeout 20 \(NodePaths.programs)/ctr --address \(NodePaths.containerdSocket) --namespace k8s.io "$@" 2>/dev/null; }
        if images=$(ctr images list) && containers=$(ctr containers list); then
            # By content: one image has several names.
            used=$(printf '%s\\n---\\n%s\\n' "$containers" "$images" | awk '
                /^---$/ { listing = 1; next }
                !listing { image[$2] = 1 }
                listing && ($1 in image) { print $3 }' | sort -u)
            printf '%s\\n' "$images" | awk 'NR > 1 { print $1, $3 }' | while read -r name digest; do
                case $name in \(kept)) continue ;; esac
                ! printf '%s\\n' "$images" | awk -v digest="$digest" '$3 == digest { print $1 }' | grep -qE '/pause:|/kube-proxy:|^nestbox[.]dev/' ||
                    continue
                ! printf '%s\\n' "$used" | grep -qxF "$digest" || continue
                ctr images remove --sync "$name" > /dev/null || true
            done
        fi
        after=$(freed)
        words=$(look)
        did "freed $(((after - before) / 1024)) MiB of old logs and unused images${words:+, which is not enough}"
        """
}

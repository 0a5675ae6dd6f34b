/// What a machine was like before it joined, as a list: its files, packages, mounts, links, addresses, routes and rules.
///
/// The list lies on the machine, where the tenant has root, and its SHA-256 on our side: a list that was changed is no list, and is said
/// to be gone. It is made once a claim, from before anything is changed, and compared after cleaning by programs of the machine's own.
public enum Baseline {
    /// Of the list on the machine.
    static let file = "/var/lib/nestbox-baseline.gz"
    /// The plan's output with its SHA-256.
    public static let digestKey = "baseline"
    /// The plan's output with the reason why there is none.
    public static let troubleKey = "baselineTrouble"
    /// Lines; about 100 bytes each before they are packed.
    static let limit = 2_000_000

    /// Made by the join plan between its preflight and the first change. None is made any more on a machine that was changed
    /// already: everything of ours would be in it.
    static func take(isTaken: Bool) -> Step {
        Step(
            "Baseline",
            // What became of a list that was reported is for the check to see.
            check: Script(isTaken ? "true" : "[ -e \(NodePaths.configuration)/sysctl.before ]"),
            actions: [
                .script(
                    Script(
                        """
                        \(listing)
                        rm -f \(file)*
                        if (umask 077; listing | head -n \(limit + 1) | gzip -1 > \(file).new) && gzip -t \(file).new; then
                            case $(gzip -dc \(file).new | sed -n '1p;$p' | tr '\\n' ' ') in
                            '\(cutOff) '*) whole= ;;
                            *' \(end) ') whole=yes ;;
                            *) whole= ;;
                            esac
                            if [ -n "$whole" ]; then
                                sync \(file).new
                                mv \(file).new \(file)
                                sum=$(sha256sum < \(file))
                                report \(digestKey) "${sum%% *}"
                            else
                                rm -f \(file)*
                                report \(troubleKey) "its files could not be listed within 200 s, or are more than \(limit)"
                            fi
                        else
                            rm -f \(file)*
                            echo "the list of its files could not be written" >&2
                            exit 1
                        fi
                        """))
            ], timeout: .seconds(300))
    }

    /// The last line of a list that is whole; it sorts behind all others.
    static let end = "~ end"
    /// The first line of one that took too long.
    private static let cutOff = "! incomplete"

    /// Files that change on a machine that nobody does anything to, or that are looked at otherwise.
    private static let volatile =
        "/proc /sys /dev /run /tmp /var/tmp /var/log /var/crash /var/cache/apt /var/cache/debconf /var/cache/ldconfig /var/cache/man "
        + "/var/cache/fontconfig /var/cache/private /var/cache/apparmor /var/backups /var/lib/apt /var/lib/dpkg "
        + "/var/lib/systemd/timers /var/lib/systemd/timesync /var/lib/systemd/random-seed /var/lib/systemd/coredump "
        + "/var/lib/systemd/catalog /var/lib/systemd/backlight /var/lib/systemd/rfkill /var/lib/systemd/pstore "
        + "/var/lib/private /var/lib/dhcp /var/lib/dhcpcd /var/lib/dhcpcd5 /var/lib/NetworkManager /var/lib/chrony "
        + "/var/lib/ntp /var/lib/ntpsec /var/lib/logrotate /var/lib/sudo /var/lib/man-db /var/lib/command-not-found "
        + "/var/lib/update-notifier /var/lib/ubuntu-advantage /var/lib/ucf /var/lib/PackageKit /var/lib/fwupd /var/lib/unattended-upgrades "
        + "/var/spool/anacron /var/spool/rsyslog /var/spool/postfix /var/spool/exim4 /boot/grub /etc/mtab /etc/.pwd.lock /etc/adjtime "
        + "/etc/ld.so.cache /etc/udev/hwdb.bin /etc/apparmor.d/cache "
        // Ours, which the other half of the check looks for by name.
        + "/etc/nestbox /opt/nestbox /var/lib/nestbox-node /var/lib/nestbox-baseline.gz /var/lib/nestbox-baseline.gz.new "
        + "/var/lib/kubelet /var/lib/containerd /var/lib/cni"
    private static let volatileNames =
        ".bash_history .lesshst .viminfo .wget-hsts .cache .sudo_as_admin_successful known_hosts __pycache__ lost+found "
        + "initrd.img-* modules.*"

    /// `listing`: prints the sorted list.
    ///
    /// Of files below /etc and the like the content's hash counts; of the others size and both times, of which the tenant's root can
    /// set the one, but hardly the other. Folders change with what is in them: only their owner and mode count.
    static let listing = """
        listing_of_files() {
            points=$(awk '{
                type = ""
                for (i = 7; i < NF; i++) if ($i == "-") { type = $(i + 1); break }
                if (type ~ /^(ext[234]|xfs|btrfs|f2fs|jfs|reiserfs|zfs|overlay|vfat)$/ && $5 !~ /^\\/(proc|sys|dev|run)\\// &&
                    $5 !~ /^\\/var\\/lib\\/(kubelet|containerd)(\\/|$)/) print $5
            }' /proc/self/mountinfo | sort -u)
            set -f
            skip=
            for path in \(volatile); do skip="$skip -path $path -o"; done
            for name in \(volatileNames); do skip="$skip -name $name -o"; done
            timeout 200 find $points -xdev \\( $skip -false \\) -prune -o \\
                \\( -path '/etc/*' -o -path '/root/*' -o -path '/var/spool/cron/*' \\) -type f -size -2048 -printf 'f %m %U:%G %p\\n' -o \\
                -type f -printf 'f %m %U:%G %s %T@ %C@ %p\\n' -o \\
                -type l -printf 'l %U:%G %l %p\\n' -o \\
                -printf '%y %m %U:%G %p\\n' || [ $? -ne 124 ] || echo '\(cutOff)'
            timeout 60 find /etc /root /var/spool/cron -xdev \\( $skip -path '/etc/ssh/ssh_host_*' \\) -prune -o \\
                -type f -size -2048 -print0 2> /dev/null | xargs -0 -r sha256sum | sed 's/^/h /'
            set +f
        }
        listing() {
            {
                listing_of_files
                if command -v dpkg-query > /dev/null; then
                    dpkg-query -W -f '${db:Status-Abbrev} package ${Package}\\n' 2> /dev/null | sed -n 's/^ii *package/package/p'
                    echo "versions $(dpkg-query -W -f '${Package} ${Version}\\n' 2> /dev/null | sha256sum)"
                fi
                awk '$5 !~ /^\\/(proc|sys|dev|run)(\\/|$)/ && $5 !~ /^\\/var\\/lib\\/(kubelet|containerd)\\// { print "mount " $5 }' /proc/self/mountinfo
                for path in /sys/class/net/*; do
                    case ${path##*/} in veth*) ;; *) echo "link ${path##*/}" ;; esac
                done
                ip -o addr show scope global 2> /dev/null | awk '!/ dynamic / { print "address " $2 " " $4 }'
                { ip route show table all; ip -6 route show table all; } 2> /dev/null | grep -vE 'proto (kernel|dhcp|ra)|^local |^broadcast |^multicast |^anycast ' | sed 's/^/route /'
                ip rule 2> /dev/null | sed 's/^/routing rule /'
                for program in iptables-save ip6tables-save iptables-legacy-save ip6tables-legacy-save; do
                    for place in /usr/sbin /sbin "${tools:-/nonexistent}/root/bin"; do
                        [ -x "$place/$program" ] || continue
                        "$place/$program" 2> /dev/null | grep -v f2b- | sed -nE "s/^(-[AI] .*|:[^ ]+ (-|DROP|REJECT) .*)/rule of $program: \\\\1/p" |
                            sed 's/ \\[[0-9]*:[0-9]*\\]$//'
                        break
                    done
                done
                ! command -v nft > /dev/null || nft -s list ruleset 2> /dev/null | grep -v f2b- | sed 's/^[[:space:]]*/nft /'
                for path in /sys/module/*/taint; do
                    ! grep -qs O "$path" || { path=${path%/taint}; echo "kernel module ${path##*/}"; }
                done
                for path in /run/systemd/transient/* /run/systemd/system/*; do
                    case ${path##*/} in '*' | session-*.scope* | user-* | user@* | run-user* | netplan* | systemd-networkd*) ;;
                    *) [ ! -f "$path" ] || echo "unit ${path##*/}" ;;
                    esac
                done
                ls -A /tmp /var/tmp /dev/shm 2> /dev/null | grep -v '^systemd-private-\\|^snap-private-tmp$\\|^[.].*-unix$\\|^$\\|:$\\|^nestbox-check$' | sed 's/^/temporary file /'
            } | sort -u
            echo '\(end)'
        }
        """

    /// What differs from the list, in words; `digest` is that of the list. Packages' own files may come and change with their packages.
    static func compare(digest: String) -> String {
        """
        \(listing)
        accounted() {
            # stdin: paths of files; prints those that are as a package brought them
            awk '{ print }' > "$work/candidates"
            {
                cat /var/lib/dpkg/info/*.md5sums
                dpkg-query -W -f '${Conffiles}\\n' | awk 'NF >= 2 { print $2 "  " substr($1, 2) }'
            } 2> /dev/null | awk -v candidates="$work/candidates" '
                BEGIN { while ((getline line < candidates) > 0) want[line] = 1 }
                {
                    path = "/" substr($0, 35)
                    if (path in want) print $1 "  " path
                    if (("/usr" path) in want) print $1 "  /usr" path
                }' > "$work/sums"
            [ ! -s "$work/sums" ] || md5sum -c "$work/sums" 2> /dev/null | sed -n 's/: OK$//p' | while read -r path; do
                # What a package says nothing of: who may run it as whom.
                case $(stat -c %A "$path") in
                *s*) grep "^f $(stat -c '%a %u:%g' "$path") " "$work/before" | grep -qF " $path" || continue ;;
                esac
                printf '%s\\n' "$path"
            done
            cat /var/lib/dpkg/info/*.list 2> /dev/null | awk -v candidates="$work/candidates" '
                BEGIN { while ((getline line < candidates) > 0) want[line] = 1 }
                { if ($0 in want) print; if (("/usr" $0) in want) print "/usr" $0 }' | while read -r path; do
                    [ -f "$path" ] && [ ! -L "$path" ] || printf '%s\\n' "$path"
                done
        }
        compare() {
            if [ "$(sha256sum < \(file))" != "\(digest)  -" ]; then
                echo "the list of its files from before it joined is gone or was changed (\(file)): what else was cannot be told"
                return
            fi
            work=/var/tmp/nestbox-check/compare
            mkdir -p "$work"
            gzip -dc \(file) > "$work/before"
            listing > "$work/after"
            case $(tail -n 1 "$work/after") in '\(end)') ;; *) echo "its files could not be listed"; return ;; esac
            ! grep -qxF '\(cutOff)' "$work/after" || { echo "its files could not be listed whole"; return; }
            # The rules of a machine that could not show them before: none were there.
            comm -3 "$work/before" "$work/after" > "$work/difference"
            updated=
            ! grep -q '^versions ' "$work/difference" || updated=yes
            awk -F '\\t' -v updated=$updated '
                {
                    isNew = $1 == ""; line = isNew ? $2 : $1
                    for (i = isNew ? 3 : 2; i <= NF; i++) line = line "\\t" $i
                    kind = line; sub(/ .*/, "", kind)
                    if (kind ~ /^[a-zA-Z]$/) {
                        path = line
                        if (kind == "h") path = substr(line, 69)
                        else if (match(line, / \\//)) path = substr(line, RSTART + 1)
                        # A link names its target first.
                        if (kind == "l" && match(line, / \\/[^ ]*$/)) path = substr(line, RSTART + 1)
                        if (isNew) after[path] = kind; else before[path] = kind
                    } else if (kind == "versions") {
                    } else if (isNew) {
                        if (line !~ /^package linux-/) print "other " line
                    } else if (kind == "package") {
                        if (line !~ /^package linux-/) print "other missing " line
                    }
                }
                END {
                    for (path in after) print (path in before ? "changed " : "new ") path
                    for (path in before)
                        if (!(path in after) && !(updated && path ~ /^\\/(usr|boot|lib|etc\\/alternatives|var\\/lib\\/[^\\/]*)\\//)) print "missing " path
                }' "$work/difference" | sort > "$work/findings"
            sed -nE 's/^(new|changed) //p' "$work/findings" | accounted | sort -u > "$work/accounted"
            awk -v accounted="$work/accounted" '
                BEGIN { while ((getline line < accounted) > 0) ok[line] = 1 }
                {
                    path = $0; sub(/^[a-z]+ /, "", path)
                    if (/^other /) print path
                    else if (/^missing /) print "missing, though it was there before: " path
                    else if (!(path in ok)) print (/^new / ? "file that was not there before: " : "file that was changed: ") path
                }' "$work/findings" > "$work/words"
            head -n 20 "$work/words"
            [ "$(wc -l < "$work/words")" -le 20 ] || echo "and $(($(wc -l < "$work/words") - 20)) more that were not so before"
        }
        compare
        """
    }
}

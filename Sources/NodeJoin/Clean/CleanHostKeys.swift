/// New SSH host keys: the last tenant had root, and so has the old ones.
enum CleanHostKeys {
    private static let places = """
        keys=$(PATH=$PATH:/usr/sbin sshd -T 2>/dev/null | awk '$1 == "hostkey" { print $2 }')
        [ -n "$keys" ] || keys=$(ls /etc/ssh/ssh_host_*_key)
        """

    /// Makes them beside the old ones and reports the public one, so that it can be pinned before it is used.
    static let make = Step(
        "MakeHostKeys",
        actions: [
            .script(
                Script(
                    """
                    \(places)
                    best=
                    for key in $keys; do
                        [ -f "$key" ] || continue
                        type=$(ssh-keygen -l -f "$key" | sed 's/.*(\\(.*\\))$/\\1/' | tr A-Z a-z)
                        rm -f "$key.nestbox-new" "$key.nestbox-new.pub"
                        ssh-keygen -q -t "$type" -N "" -C "root@$(hostname)" -f "$key.nestbox-new" < /dev/null
                        # An empty key after a power cut would be a server that nobody reaches any more.
                        sync "$key.nestbox-new" "$key.nestbox-new.pub"
                        case $type in
                        ed25519) best=$key ;;
                        ecdsa) [ -n "$best" ] || best=$key ;;
                        esac
                    done
                    [ -n "$best" ] || refuse "the SSH server has neither an Ed25519 nor an ECDSA host key"
                    report hostKey "$(cut -d ' ' -f 1,2 "$best.nestbox-new.pub")"
                    """))
        ], timeout: .seconds(120))

    static let install = Step(
        "InstallHostKeys",
        actions: [
            .script(
                Script(
                    """
                    \(places)
                    for key in $keys; do
                        # Each may have been moved before, by an attempt that was cut off.
                        [ ! -f "$key.nestbox-new.pub" ] || mv -f "$key.nestbox-new.pub" "$key.pub"
                        [ ! -f "$key.nestbox-new" ] || mv -f "$key.nestbox-new" "$key"
                    done
                    # Also when nothing was left to move: the one who moved it may not have come to this.
                    systemctl try-reload-or-restart ssh.service 2>/dev/null || systemctl try-reload-or-restart sshd.service
                    """))
        ], timeout: .seconds(60))
}

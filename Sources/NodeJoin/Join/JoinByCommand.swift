extension Plan {
    /// The same join, for a machine on which its owner runs it: there is nobody who lists what was on it before, and the last step waits
    /// for the certificate, for nobody else tells the person at the keyboard that the token was refused.
    public static func joinByCommand(_ parameters: JoinParameters) -> Plan {
        var parameters = parameters
        parameters.hasBaseline = true
        parameters.requirements.address = parameters.nodeAddress
        var plan = join(parameters)
        plan.steps.append(
            Step(
                "Certificate", check: Script("[ -s \(certificate) ]"),
                actions: [
                    .script(
                        Script(
                            """
                            seconds=0
                            while [ ! -s \(certificate) ]; do
                                seconds=$((seconds + 1))
                                [ $seconds -le 120 ] ||
                                    refuse "the kubelet was given no certificate: the token was used already, or is over, or the control" \\
                                        "plane cannot be reached: $(journalctl -u nestbox-kubelet -n 3 -o cat --no-pager 2>/dev/null)"
                                sleep 1
                            done
                            """))
                ], timeout: .seconds(150), retry: .once))
        return plan
    }

    private static let certificate = "\(NodePaths.kubeletState)/pki/kubelet-client-current.pem"
}

/// The kubelet's certificate, which is the tunnel's too: gone, or expired while the machine was off.
enum RepairCertificate {
    private static let file = "\(NodePaths.kubeletState)/pki/kubelet-client-current.pem"

    static func step(bootstrapKubeconfig: String?) -> Step {
        RepairLook(subject: .certificate, look: look(file: file), mend: mend(bootstrapKubeconfig)).step("Certificate")
    }

    /// Without openssl, which a small Debian lacks: the second time of the first certificate is its end.
    static func look(file: String) -> String {
        """
        [ -e \(file) ] || { echo "the kubelet's certificate is gone"; return 0; }
        ends=$(awk '/BEGIN CERTIFICATE/ { on = 1; next } /END CERTIFICATE/ { exit } on' \(file) | base64 -d 2>/dev/null |
            grep -aoE '[0-9]{12}Z' | sed -n 2p | sed 's/^\\(..\\)\\(..\\)\\(..\\)\\(..\\)\\(..\\)\\(..\\)Z$/20\\1-\\2-\\3 \\4:\\5:\\6/')
        ended=$(date -u -d "$ends" +%s 2>/dev/null || true)
        if [ -z "$ends" ] || [ -z "$ended" ]; then
            echo "the kubelet's certificate cannot be read"
        elif [ "$ended" -le "$now" ]; then
            echo "the kubelet's certificate ended at $ends UTC"
        fi
        """
    }

    private static func mend(_ bootstrapKubeconfig: String?) -> String {
        guard let bootstrapKubeconfig else { return "report needs.ticket yes" }
        let credential = TextFile("\(NodePaths.configuration)/bootstrap.kubeconfig", mode: 0o600, bootstrapKubeconfig)
        return """
            \(credential.put)
            rm -f \(file) \(NodePaths.kubeletState)/kubeconfig
            systemctl reset-failed nestbox-kubelet.service 2>/dev/null || true
            timeout 60 systemctl restart nestbox-kubelet.service 2>/dev/null || true
            did "the kubelet asks for a new one"
            """
    }
}

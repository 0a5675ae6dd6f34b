import ArgumentParser
import Tunnel

/// Where kube-apiserver connects to.
struct FrontFlags: ParsableArguments {
    @Option(help: "What kube-apiserver speaks: http-connect or grpc.") var mode = FrontProtocol.httpConnect
    @Option(help: "The Unix socket that kube-apiserver connects to.") var udsName = ""
    @Option(help: "The TCP port it connects to instead, by TLS with a client certificate.") var serverPort = 0
    @Option(help: "The address of that port. (default: all)") var serverBindAddress = ""
    @Option(help: "The certificate shown there, PEM.") var serverCert = ""
    @Option(help: "Its key, PEM.") var serverKey = ""
    @Option(help: "The CA of kube-apiserver's client certificate, PEM.") var serverCaCert = ""

    func listening() throws -> FrontListening {
        if !udsName.isEmpty {
            guard serverPort == 0 else { throw ValidationError("--uds-name and --server-port: one of them") }
            return FrontListening(.unix(path: udsName), speaking: mode)
        }
        guard serverPort > 0 else { throw ValidationError("neither --uds-name nor --server-port says where kube-apiserver connects to") }
        guard ![serverCert, serverKey, serverCaCert].contains("") else {
            throw ValidationError("--server-port wants --server-cert, --server-key and --server-ca-cert: whoever dials reaches every node")
        }
        let tls = TLSFiles(certificate: serverCert, key: serverKey, authority: serverCaCert)
        return FrontListening(.tcp(host: serverBindAddress.isEmpty ? "::" : serverBindAddress, port: serverPort, tls), speaking: mode)
    }
}

/// The other servers of the same control plane.
struct PeerFlags: ParsableArguments {
    @Option(help: "The port that the other servers of this control plane connect to.") var peersPort: Int?
    @Option(help: "The other servers, HOST:PORT with commas; with --kubeconfig they find each other.") var peers = ""
    @Option(help: "The name that all servers' certificates have.") var peerServerName = "nestbox-tunnel"

    func fixed() throws -> Set<Peer> {
        guard let endpoints = Endpoint.list(peers) else { throw ValidationError("--peers=\(peers): not a list of HOST:PORT") }
        guard endpoints.isEmpty || peersPort != nil else { throw ValidationError("--peers wants --peers-port, where they connect back") }
        return Set(endpoints.map { Peer(id: "\($0)", endpoint: $0) })
    }
}

/// Flags of upstream's proxy-server that have no meaning here, so that its command lines can stay as they are.
struct UpstreamServerFlags: ParsableArguments {
    @Option var deleteExistingUdsFile = true
    @Option var keepaliveTime = GoTime(seconds: 3600)
    @Option var frontendKeepaliveTime = GoTime(seconds: 3600)
    @Option var backendDialTimeout = GoTime(seconds: 8)
    @Option var enableProfiling = false
    @Option var enableContentionProfiling = false
    @Option var kubeconfigQps = 0.0
    @Option var kubeconfigBurst = 0
    @Option var kubeApiContentType = ""
    @Option var cipherSuites = ""
    @Option var tlsMinVersion = ""
    @Option var xfrChannelSize = 150
    @Option var warnOnChannelLimit = true
    @Option var enableLeaseController = false
    @Option var leaseNamespace = ""
    @Option var leaseLabel = ""
}

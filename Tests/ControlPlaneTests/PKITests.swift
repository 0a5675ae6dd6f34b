import Foundation
import KubernetesAPI
import KubernetesVersions
import NestboxAPI
import Testing

@testable import ControlPlane

@Suite struct PKITests {
    let now = Date()
    let day: TimeInterval = 86_400

    private func settings() throws -> ClusterSettings { try ClusterSettings(Fixture.cluster(KubernetesVersion(1, 20, 2))) }

    @Test func issuesWhatIsAsked() throws {
        let authority = try CertificateAuthority(commonName: "kubernetes", lifetime: 10 * day, now: now)
        let request = CertificateRequest(
            commonName: "system:node:n", organizations: ["b", "a"], dnsNames: ["n.example.net"], ipAddresses: ["192.0.2.1"],
            usages: [.server, .client], lifetime: day)
        let issued = try authority.issue(request, now: now)
        let facts = try CertificateFacts(certificatePEM: issued.certificatePEM)
        #expect(facts.commonName == "system:node:n")
        #expect(facts.organizations == ["a", "b"])
        #expect(facts.dnsNames == ["n.example.net"])
        #expect(facts.ipAddresses == ["192.0.2.1"])
        #expect(facts.usages == [.server, .client])
        #expect(abs(facts.notAfter.timeIntervalSince(now) - day) < 2)
        #expect(facts.notBefore < now)
        #expect(issued.keyPEM.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
    }

    @Test func neverOutlivesItsAuthority() throws {
        let authority = try CertificateAuthority(commonName: "short", lifetime: day, now: now)
        let request = CertificateRequest(commonName: "c", usages: [.client], lifetime: 30 * day)
        let facts = try CertificateFacts(certificatePEM: try authority.issue(request, now: now).certificatePEM)
        let end = try CertificateFacts(certificatePEM: authority.certificatePEM).notAfter
        #expect(facts.notAfter == end)
        #expect(throws: PKIError.self) { try authority.issue(request, now: now.addingTimeInterval(2 * day)) }
    }

    @Test func refusesAKeyThatIsNotTheAuthoritys() throws {
        let one = try CertificateAuthority(commonName: "one", lifetime: day, now: now)
        let two = try CertificateAuthority(commonName: "two", lifetime: day, now: now)
        let mixed = CertificateAuthority(certificatePEM: one.certificatePEM, keyPEM: two.keyPEM)
        let error = #expect(throws: PKIError.self) {
            try mixed.issue(CertificateRequest(commonName: "c", usages: [.client], lifetime: 1), now: now)
        }
        #expect(error?.description.contains("one") == true)
    }

    @Test(arguments: ["fe80::1", "300.1.1.1", "host"])
    func refusesWhatIsNoIPv4Address(text: String) throws {
        let authority = try CertificateAuthority(commonName: "ca", lifetime: day, now: now)
        #expect(throws: PKIError.self) {
            try authority.issue(CertificateRequest(commonName: "c", ipAddresses: [text], usages: [.server], lifetime: 1), now: now)
        }
    }

    @Test func keysDoNotPrint() throws {
        let keys = try ClusterKeys.make(try settings(), now: now)
        var dumped = ""
        dump(keys, to: &dumped)
        dump(keys.cluster, to: &dumped)
        for text in ["\(keys)", String(reflecting: keys), "\(keys.cluster)", String(reflecting: keys.serviceAccount), dumped] {
            #expect(!text.contains("PRIVATE KEY"))
        }
    }

    @Test func leavesAreIssuedOnceAndThenKept() throws {
        let settings = try settings()
        let (keys, first) = try ClusterKeys.make(settings, now: now).renewed(
            settings, published: ["192.0.2.10", "api.example.net"], now: now)
        #expect(first.map(\.leaf) == Leaf.allCases)
        #expect(first.allSatisfy { $0.reason == .missing })
        let (again, second) = try keys.renewed(settings, published: ["api.example.net", "192.0.2.10"], now: now)
        #expect(second.isEmpty)
        #expect(again == keys)
        // Another published address concerns one certificate.
        #expect(try keys.renewals(settings, published: ["192.0.2.11"], now: now).map(\.leaf) == [.apiServer])
        // Two thirds of a year later all are due.
        let later = now.addingTimeInterval(250 * day)
        #expect(try keys.renewals(settings, published: ["192.0.2.10", "api.example.net"], now: later).count == Leaf.allCases.count)
        let due = try #require(keys.nextRenewal())
        #expect(due > now.addingTimeInterval(200 * day) && due < later)
    }

    @Test func survivesTheSecrets() throws {
        let settings = try settings()
        let keys = try ClusterKeys.make(settings, now: now).renewed(settings, published: [], now: now).keys
        var secrets = try keys.secrets(settings)
        #expect(try ClusterKeys(secrets: secrets) == keys)
        #expect(try ClusterKeys(secrets: []) == nil)
        secrets.removeAll { $0.name == "kube-scheduler" }
        let without = try #require(try ClusterKeys(secrets: secrets))
        #expect(try without.renewals(settings, published: [], now: now).map(\.leaf) == [.scheduler])
        secrets.removeAll { $0.name == "etcd-ca" }
        let error = #expect(throws: PKIError.self) { try ClusterKeys(secrets: secrets) }
        #expect(error?.description.contains("etcd-ca") == true)
    }

    @Test func rootsThatWereNotMadeYetAreMadeBesideTheOthers() throws {
        let settings = try settings()
        let keys = try ClusterKeys.make(settings, now: now).renewed(settings, published: [], now: now).keys
        let secrets = try keys.secrets(settings)
        #expect(try ClusterKeys.make(settings, keeping: secrets, now: now) == keys)
        let without = try ClusterKeys.make(settings, keeping: secrets.filter { $0.name != "etcd-ca" }, now: now)
        #expect(without.cluster == keys.cluster && without.frontProxy == keys.frontProxy && without.serviceAccount == keys.serviceAccount)
        #expect(without.etcd != keys.etcd)
        let renewals = try without.renewals(settings, published: [], now: now)
        #expect(Set(renewals.map(\.leaf)) == [.etcdClient, .etcdServer, .etcdPeer, .etcdOperator])
    }

    @Test func anotherAuthoritysLeavesAreReplaced() throws {
        let settings = try settings()
        var keys = try ClusterKeys.make(settings, now: now).renewed(settings, published: [], now: now).keys
        keys.etcd = try CertificateAuthority(commonName: "etcd-ca", lifetime: day, now: now)
        let renewals = try keys.renewals(settings, published: [], now: now)
        #expect(Set(renewals.map(\.leaf)) == [.etcdClient, .etcdServer, .etcdPeer, .etcdOperator])
        #expect(renewals.allSatisfy { $0.reason == .otherAuthority })
    }

    @Test func onlyTheBootstrapClientIsAMaster() throws {
        let settings = try settings()
        let keys = try ClusterKeys.make(settings, now: now).renewed(settings, published: [], now: now).keys
        for (leaf, issued) in keys.leaves {
            #expect(try CertificateFacts(certificatePEM: issued.certificatePEM).organizations.isEmpty, "\(leaf)")
        }
        let admin = try CertificateFacts(certificatePEM: try keys.adminClient(settings, now: now).certificatePEM)
        #expect(admin.organizations.isEmpty)
        let bootstrap = try CertificateFacts(certificatePEM: try keys.bootstrapClient(now: now).certificatePEM)
        #expect(bootstrap.organizations == ["system:masters"])
        #expect(bootstrap.notAfter.timeIntervalSince(now) < 3601)
    }

    /// What Go reads, openssl reads too; and the other way round, its SEC1 keys with their EC PARAMETERS are taken.
    @Test func agreesWithOpenSSL() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "nestbox-pki-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        func path(_ name: String) -> String { directory.appending(path: name).path }
        let settings = try settings()
        let keys = try ClusterKeys.make(settings, now: now).renewed(settings, published: ["192.0.2.10"], now: now).keys
        try keys.cluster.certificatePEM.write(toFile: path("ca.crt"), atomically: true, encoding: .utf8)
        try keys.leaf(.apiServer).certificatePEM.write(toFile: path("tls.crt"), atomically: true, encoding: .utf8)
        try keys.leaf(.apiServer).keyPEM.write(toFile: path("tls.key"), atomically: true, encoding: .utf8)
        try keys.serviceAccount.publicPEM.write(toFile: path("sa.pub"), atomically: true, encoding: .utf8)
        #expect(try openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", path("ca.crt"), path("tls.crt")).0 == 0)
        for host in [
            ("-verify_ip", "172.20.0.1"), ("-verify_ip", "10.96.0.1"), ("-verify_ip", "192.0.2.10"), ("-verify_hostname", "localhost"),
        ] {
            #expect(try openssl("verify", "-CAfile", path("ca.crt"), host.0, host.1, path("tls.crt")).0 == 0, "\(host)")
        }
        #expect(try openssl("verify", "-CAfile", path("ca.crt"), "-verify_ip", "192.0.2.99", path("tls.crt")).0 != 0)
        #expect(try openssl("pkey", "-in", path("tls.key"), "-noout", "-check").0 == 0)
        #expect(try openssl("pkey", "-pubin", "-in", path("sa.pub"), "-noout").0 == 0)
        let made = try openssl("ecparam", "-name", "prime256v1", "-genkey")
        #expect(made.1.contains("EC PARAMETERS"))
        _ = try PEM.privateKey(made.1, what: "openssl's key")
        // kubeadm's own recipe for --discovery-token-ca-cert-hash.
        let der = path("ca.der")
        try openssl("x509", "-pubkey", "-noout", "-in", path("ca.crt")).1.write(toFile: path("ca.pub"), atomically: true, encoding: .utf8)
        #expect(try openssl("pkey", "-pubin", "-in", path("ca.pub"), "-outform", "DER", "-out", der).0 == 0)
        let digest = try openssl("dgst", "-sha256", "-hex", der).1.split(separator: " ").last.map { String($0) } ?? ""
        #expect(try keys.cluster.fingerprint() == "sha256:" + digest.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    @Test func readsAKubeletsRequest() throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "nestbox-csr-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: directory) }
        let key = directory.appending(path: "k").path
        try openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout").1.write(toFile: key, atomically: true, encoding: .utf8)
        let text = try openssl(
            "req", "-new", "-key", key, "-subj", "/O=system:nodes/CN=system:node:worker-1", "-addext",
            "subjectAltName=DNS:worker-1,IP:192.0.2.5"
        ).1
        let request = try NodeCertificateRequest(requestPEM: text)
        #expect(request.commonName == "system:node:worker-1")
        #expect(request.organizations == ["system:nodes"])
        #expect(request.dnsNames == ["worker-1"])
        #expect(request.ipAddresses == ["192.0.2.5"])
        #expect(!request.hasOtherNames)
        let odd = try openssl(
            "req", "-new", "-key", key, "-subj", "/O=system:nodes/CN=system:node:a/CN=system:node:b", "-addext",
            "subjectAltName=URI:spiffe://x"
        ).1
        #expect(try NodeCertificateRequest(requestPEM: odd).hasOtherNames)
        #expect(throws: PKIError.self) { try NodeCertificateRequest(requestPEM: "nonsense") }
    }

    private func openssl(_ arguments: String...) throws -> (Int32, String) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return (process.terminationStatus, String(decoding: data, as: UTF8.self))
    }
}

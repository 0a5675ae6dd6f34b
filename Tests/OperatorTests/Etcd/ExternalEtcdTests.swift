import ControlPlane
import Foundation
import KubernetesAPI
import KubernetesClient
import KubernetesVersions
import NestboxAPI
import Testing

@testable import Operator

/// What is made of what an external etcd says, without one.
@Suite struct ExternalEtcdTests {
    static let endpoint = "https://etcd-1.example.net:2379"

    @Test(arguments: [
        (
            ExternalEtcdError.Cause.keys("the client key cannot be used: it is not valid PEM"), "KeysUnusable",
            "the client key cannot be used: it is not valid PEM; put ca.crt, tls.crt and the tls.key that goes with it, in PEM, into that Secret"
        ),
        (
            .stranger("TLS failed: CERTIFICATE_VERIFY_FAILED"), "WrongAuthority",
            "TLS failed: CERTIFICATE_VERIFY_FAILED; its certificate is not of the authority in ca.crt, or not for that address: put the right "
                + "ca.crt into the Secret, or mend its certificate"
        ),
        (
            .turnedAway("TLS failed: ALERT_UNKNOWN_CA"), "CertificateRefused",
            "TLS failed: ALERT_UNKNOWN_CA; it does not take tls.crt: put one into the Secret that its client authority (--trusted-ca-file) signed"
        ),
        (
            .notPermitted("etcdserver: permission denied"), "NotPermitted",
            "etcdserver: permission denied; have its admin give a role to the user that tls.crt names (its CN): etcdctl role grant-permission "
                + "ROLE --prefix=true readwrite /nestbox/shop/demo/"
        ),
        (
            .unreachable("cannot connect"), "NotAnswering",
            "cannot connect; see that it runs there, and that the operator and the host's nodes reach that address (spec.etcd.external.endpoints)"
        ),
        (.noLeader, "NoLeader", "it has no leader; most of its members are away: have those who run it bring them back"),
        (.other("etcdserver: too many requests"), "Failing", "etcdserver: too many requests; ask those who run it"),
    ])
    func itIsOneSentence(_ cause: ExternalEtcdError.Cause, _ reason: String, _ end: String) {
        let trouble = Self.trouble(cause)
        #expect(trouble.reason == reason)
        #expect(
            trouble.message == "the external etcd at \(Self.endpoint), asked for its status with the keys of the Secret shop/shared: \(end)"
        )
    }

    static func trouble(_ cause: ExternalEtcdError.Cause) -> ExternalEtcdTrouble {
        ExternalEtcdTrouble(
            ExternalEtcdError(endpoint, "its status", cause), secret: "shop/shared",
            share: ExternalEtcd.share(namespace: "shop", name: "demo"))
    }

    @Test func whatIsBehindAnErrorIsKnown() {
        func cause(_ detail: String) -> ExternalEtcdError.Cause {
            ExternalEtcdError.Cause(KubernetesError(code: .unreachable, verb: "POST", object: "/x", detail: detail))
        }
        #expect(
            cause(
                "TLS with a:1 failed: handshakeFailed(sslError([Error: 1 error:1:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED]))"
            )
                == .stranger("TLS failed: CERTIFICATE_VERIFY_FAILED"))
        #expect(cause("the connection failed: SSLV3_ALERT_BAD_CERTIFICATE at x") == .turnedAway("TLS failed: ALERT_BAD_CERTIFICATE"))
        #expect(cause("cannot connect to a:1: Connection refused") == .unreachable("cannot connect to a:1: Connection refused"))
        let denied = UnaryCall.Refusal(code: 7, words: "etcdserver: permission denied")
        #expect(ExternalEtcdError.Cause(denied) == .notPermitted("etcdserver: permission denied"))
        #expect(ExternalEtcdError.Cause(UnaryCall.Refusal(code: 3, words: "etcdserver: user name is empty")).isNotPermitted)
        #expect(!ExternalEtcdError.Cause(UnaryCall.Refusal(code: 3, words: "etcdserver: key is not provided")).isNotPermitted)
    }

    static func sight(_ change: (inout ExternalEtcdSight) -> Void = { _ in }) -> ExternalEtcdSight {
        var sight = ExternalEtcdSight(
            clusterID: "1", endpoint: endpoint, version: "3.5.24", serving: [endpoint], troubles: [], isFull: false, keys: 3)
        change(&sight)
        return sight
    }

    @Test func howItIs() throws {
        let now = Date(timeIntervalSince1970: 1_785_585_600)
        let day: TimeInterval = 86400
        let authority = try CertificateAuthority(commonName: "etcd-ca", lifetime: 365 * day, now: now.addingTimeInterval(-day))
        func health(
            _ sight: ExternalEtcdSight, kept: ExternalEtcdTrouble? = nil, lifetime: TimeInterval = 100 * day
        ) throws -> EtcdHealth {
            let request = CertificateRequest(commonName: "demo", usages: [.client], lifetime: lifetime)
            let certificate = try authority.issue(request, now: now)
            return EtcdHealth(
                sight, kept: kept, certificate: try CertificateFacts(certificatePEM: certificate.certificatePEM), secret: "shop/shared",
                now: now.addingTimeInterval(86 * day))
        }
        // Two weeks before the end are a tenth of 140 days.
        #expect(try health(Self.sight(), lifetime: 140 * day) == EtcdHealth(isTrue: true, reason: "Healthy"))
        let ending = try health(Self.sight(), lifetime: 90 * day)
        #expect(ending.reason == "CertificateEnds" && ending.message.hasSuffix("put a new tls.crt and tls.key into the Secret shop/shared"))
        let down = Self.trouble(.unreachable("cannot connect"))
        let one = try health(Self.sight { $0.troubles = [down] })
        #expect(one.reason == "MemberDown" && one.message == "1 of 2 endpoints cannot be used, the others serve: \(down.message)")
        let full = try health(Self.sight { $0.isFull = true })
        #expect(full.reason == "NoSpace" && !full.isTrue)
        let refused = Self.trouble(.turnedAway("TLS failed: ALERT_UNKNOWN_CA"))
        let kept = try health(Self.sight(), kept: refused)
        #expect(
            kept.reason == "CertificateRefused" && kept.message.hasSuffix("till then the control plane goes on with the keys that it had"))
    }

    @Test func messagesThereAndBack() throws {
        var message = ProtocolMessage()
        message.set(1, "/nestbox/a/")
        message.set(2, String(repeating: "x", count: 300))
        message.set(9, true)
        message.set(10, false)
        let fields = try #require(ProtocolFields(message.bytes))
        #expect(fields.texts(1) == ["/nestbox/a/"] && fields.texts(2).first?.count == 300)
        #expect(fields.number(9) == 1 && fields.number(10) == 0 && fields.number(77) == 0 && fields.texts(9) == [])
        // As etcd 3.4.23 answered to a question for its status.
        let status: [UInt8] = [
            0x0a, 0x18, 0x08, 0x87, 0xd5, 0xed, 0xba, 0x8f, 0xd5, 0x9d, 0xc1, 0x04, 0x10, 0xc0, 0xc0, 0xca, 0xaf, 0xc1, 0xba, 0x96, 0x89,
            0x2e,
            0x18, 0x03, 0x20, 0x02, 0x12, 0x06, 0x33, 0x2e, 0x34, 0x2e, 0x32, 0x33, 0x18, 0x80, 0xa0, 0x01,
        ]
        let answer = try #require(ProtocolFields(status))
        #expect(answer.texts(2) == ["3.4.23"] && answer.number(3) == 20480 && answer.message(1)?.number(3) == 3)
        for end in 1..<status.count { _ = ProtocolFields(status.prefix(end)) }
        #expect(ProtocolFields([0x0a, 0x05, 0x01]) == nil && ProtocolFields([0xff]) == nil && ProtocolFields([0x0b]) == nil)
        #expect(ProtocolFields([0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]) == nil)
    }

    @Test func anUpgradeLooksAtIt() {
        func check(_ change: (inout UpgradeFacts) -> Void) -> UpgradeCheck? {
            let facts = UpgradeChecksTests.facts {
                $0.etcd = .known([UpgradeFacts.Member(name: Self.endpoint, databaseSize: 0, alarms: [])])
                $0.etcdQuota = 0
                $0.externalEtcd = "3.5.24"
                change(&$0)
            }
            return UpgradeChecks.run(UpgradeChecksTests.target, facts).first { $0.name == "Etcd" }
        }
        #expect(
            check { _ in }
                == UpgradeCheck(
                    "Etcd", .passed,
                    "the external etcd answers at 1 of 1 endpoints; it stays as it is, and Nestbox takes no snapshot of it"))
        #expect(
            check { $0.externalEtcd = "3.4.23" }
                == UpgradeCheck(
                    "Etcd", .warning,
                    "the external etcd is 3.4.23, and v1.22.0 is released with 3.5.24: have those who run it look to that; it stays as it is, "
                        + "and Nestbox takes no snapshot of it"))
        #expect(check { $0.etcd = .unknown("down") } == UpgradeCheck("Etcd", .failed, "etcd is not healthy: down"))
        #expect(
            check { $0.etcd = .known([UpgradeFacts.Member(name: Self.endpoint, databaseSize: 0, alarms: ["NOSPACE"])]) }
                == UpgradeCheck("Etcd", .failed, "\(Self.endpoint) raises NOSPACE"))
    }

    @Test func deletionSaysWhatItWaitsFor() {
        let ending = DeletionPhase.endingAPIServers([Pod(metadata: ObjectMeta(name: "control-plane-1"))])
        #expect(
            ending
                == DeletionPhase(
                    reason: "ClearingEtcd",
                    waitingFor:
                        "the API servers to end (pods control-plane-1), before the cluster's keys are removed from the external etcd"))
        let clearing = DeletionPhase.clearingEtcd(
            Self.trouble(.noLeader), prefix: "/nestbox/shop/demo/1", until: Date(timeIntervalSince1970: 1_785_585_600))
        #expect(clearing.reason == "ClearingEtcd")
        #expect(
            clearing.waitingFor.hasPrefix(
                "the keys below /nestbox/shop/demo/1/ to be removed from the external etcd, which is tried until 2026-08-01T12:00:00Z: the external"
            ))
    }

    @Test func keysAreInNoWords() throws {
        let secret = Secret(
            metadata: ObjectMeta(name: "shared"),
            data: ["ca.crt": Base64(text: "authority"), "tls.crt": Base64(text: "certificate"), "tls.key": Base64(text: "unspeakable")])
        let keys = try #require(ExternalEtcdKeys(secret))
        var dumped = ""
        dump(keys, to: &dumped)
        dump(ExternalEtcdInput(keys: keys, clusterID: "1"), to: &dumped)
        #expect(!"\(keys) \(String(reflecting: keys)) \(dumped)".contains("unspeakable"))
        #expect(ExternalEtcdKeys.missingFiles(in: secret) == [])
        var lacking = secret
        lacking.data?["tls.key"] = Base64(text: "")
        lacking.data?["ca.crt"] = nil
        #expect(ExternalEtcdKeys(lacking) == nil && ExternalEtcdKeys.missingFiles(in: lacking) == ["ca.crt", "tls.key"])
    }
}

extension ExternalEtcdError.Cause {
    fileprivate var isNotPermitted: Bool { if case .notPermitted = self { true } else { false } }
}

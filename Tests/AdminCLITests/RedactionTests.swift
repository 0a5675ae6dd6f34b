import Foundation
import KubernetesAPI
import Testing

@testable import AdminCLI

/// Everything that a dump must not say, planted, and what it must still say.
@Suite struct RedactionTests {
    static let pem = """
        -----BEGIN EC PRIVATE KEY-----
        MHcCAQEEIPLANTEDKEYPLANTEDKEYPLANTEDKEYPLANTEDKEYPLANTEDKEYPLANTE
        PLANTEDoAoGCCqGSM49AwEHoUQDQgAE==
        -----END EC PRIVATE KEY-----
        """
    static let webToken = "eyJhbGciOiJSUzI1NiJ9.eyJwbGFudGVkIjoicGxhbnRlZCJ9.cGxhbnRlZHBsYW50ZWQ"

    static func encoded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    static let secretTexts: [String] = [
        "before \(pem) after",
        String("in one line \(pem) after").replacingOccurrences(of: "\n", with: "\\n"),
        #"{"copied":"a\nline\n"# + pem.replacingOccurrences(of: "\n", with: #"\n"#) + #""}"#,
        "the log ends in it: \(pem.prefix(90))",
        "PLANTEDKEYPLANTEDKEY\nPLANTEDoAoGCCqGSM49AwEHoUQDQgAE==\n-----END EC PRIVATE KEY-----\nthe log begins in it",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nPLANTEDPLANTED\n-----END OPENSSH PRIVATE KEY-----",
        "client-key-data: \(encoded(pem))",
        "tls.key: \(encoded(pem))",
        "a bootstrap token abcdef.plantedplanted12.",
        "used \(webToken), refused",
        "cut off: \(webToken.prefix(60))",
        "Authorization: Bearer planted-planted-planted",
        "authorization: Basic cGxhbnRlZDpwbGFudGVk",
        "https://planted:planted@registry.example.com/v2/ answered",
        "postgres://user:planted@db:5432/x",
        "--token=planted1",
        "--password planted-1 --db-password=planted --v=2",
        #"{"clientSecret":"planted, with \"quotes\" planted","x":1}"#,
        #"token: "planted planted""#,
        "DB_PASSWORD='planted one'",
        "kubeconfig: \(encoded("apiVersion: v1\nusers: [{user: {token: planted}}]"))",
        #"{\"password\": \"planted\", \"kept\": 1}"#,
        "aws_secret_access_key = PLANTED/planted+planted",
    ]

    @Test func whatAuditEventsHoldIsLeftOut() {
        let event = #"{"kind":"Event","apiVersion":"audit.k8s.io/v1","requestObject":{"data":{"uri":"cGxhbnRlZA=="}}}"#
        let log = "\":\"the end of one\"}}\nI1122 it serves\n2026-11-22T00:00:00Z \(event)\nI1122 it goes\n"
        let shown = AuditEvents.removed(from: log)
        #expect(shown.text == "I1122 it serves\nI1122 it goes\n" && shown.count == 2)
        #expect(AuditEvents.removed(from: "I1122 it serves\n") == ("I1122 it serves\n", 0))
    }

    @Test func whatKubectlAppliedIsNotShownOnceMore() {
        let object: JSONValue = [
            "kind": "Deployment",
            "metadata": [
                "name": "a",
                "annotations": [
                    "kept": "yes",
                    "kubectl.kubernetes.io/last-applied-configuration": #"{"env":[{"name":"DB_PASSWORD","value":"planted"}]}"#,
                ],
            ],
        ]
        #expect(Redaction().object(object)["metadata"]?["annotations"] == ["kept": "yes"])
    }

    @Test(arguments: secretTexts)
    func whatIsSecretByFormOrNameIsTakenOut(text: String) {
        let shown = Redaction().text(text)
        #expect(!shown.lowercased().contains("planted"), "\(shown)")
        #expect(shown.contains(Redaction.mark))
        for encoded in ["cGxhbnRlZ", "UExBTlRFR"] { #expect(!shown.contains(encoded), "\(shown)") }
    }

    static let plainTexts: [String] = [
        "the token that it was to join with ended before its Node came: it is given a new one", "the pod default/web-6d4cf56db6-x7k2p",
        "https://10.0.0.1:6443/api?x=a@b", "automountServiceAccountToken: false", "secretName: shop-kubeconfig",
        "kubeconfigSecret: shop-kubeconfig", "sshKeySecret: rack12", "image: registry.k8s.io/kube-apiserver:v1.34.2",
        "sha256:aa24d7f6aa1d5a0e3a1b2c3d4e5f60718293a4b5c6d7e8f90123456789abcdef", "SHA256:q1w2e3r4t5y6u7i8o9p0",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----", "ca.crt: " + encoded("-----BEGIN CERTIFICATE-----\nMIIB\n"),
        "demo.17a3b4c5d6e7f8a9", "token: \"\"", "bearer of bad news", "basic auth", "Bearer", "2026-11-22T03:15:00.123456789Z stderr F ok",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIB", "a \"secret\": {\"secretName\": \"tls\"}",
    ]

    @Test(arguments: plainTexts)
    func whatIsNotSecretStays(text: String) { #expect(Redaction().text(text) == text) }

    @Test func whatASecretHoldsIsTakenOutWhereverItStands() {
        var redaction = Redaction()
        redaction.learn("hunter2-hunter2\n", key: "admin")
        redaction.learn("two words!", key: "phrase")
        redaction.learn(Self.pem, key: "tls.key")
        redaction.learn("-----BEGIN CERTIFICATE-----\nCERTIFICATE\n", key: "ca.crt")
        redaction.learn("nestbox-system", key: "namespace")
        redaction.learn("true", key: "usage-bootstrap-signing")
        redaction.learn("short", key: "x")
        for text in [
            "user=admin pw hunter2-hunter2.", "/run/hunter2-hunter2/x", "it said two words! twice: two words!",
            "one line of it: MHcCAQEEIPLANTEDKEYPLANTEDKEYPLANTEDKEYPLANTEDKEYPLANTEDKEYPLANTE", Self.encoded("hunter2-hunter2"),
        ] {
            let shown = redaction.text(text)
            #expect(
                !shown.contains("hunter2") && !shown.contains("two words") && !shown.contains("PLANTED") && !shown.contains("aHVudGVyMi"),
                "\(shown)")
        }
        #expect(redaction.text("short CERTIFICATE in nestbox-system is true") == "short CERTIFICATE in nestbox-system is true")
    }

    @Test func ofASecretThereAreNamesAndFacts() throws {
        let secret: JSONValue = [
            "apiVersion": "v1", "kind": "Secret", "type": "Opaque",
            "metadata": [
                "name": "keys", "managedFields": [["manager": "planted"]],
                "annotations": ["kubectl.kubernetes.io/last-applied-configuration": "planted", "kept": "yes"],
            ],
            "data": ["tls.key": .string(Self.encoded(Self.pem)), "password": .string(Self.encoded("planted"))],
            "stringData": ["password": "planted"],
        ]
        let shown = Redaction().object(secret)
        #expect(shown["keys"]?.object?.keys.sorted() == ["password", "tls.key"])
        #expect(shown["keys"]?["password"]?["bytes"] == 7)
        #expect(shown["type"] == "Opaque" && shown["metadata"]?["name"] == "keys" && shown["metadata"]?["annotations"]?["kept"] == "yes")
        #expect(!shown.text.lowercased().contains("planted") && !shown.text.contains(Self.encoded("planted")))
    }

    @Test func objectsLoseWhatTheirFieldsNamesSay() {
        let pod: JSONValue = [
            "kind": "Pod", "metadata": ["name": "p", "managedFields": []],
            "spec": [
                "containers": [
                    [
                        "name": "c", "args": ["--token", "planted-1", "--v=2", "--password=planted-2", "--secure-port", "6443"],
                        "env": [
                            ["name": "API_TOKEN", "value": "planted-3"], ["name": "PLAIN", "value": "stays"],
                            ["name": "DB_PASSWORD", "valueFrom": ["secretKeyRef": ["name": "db", "key": "password"]]],
                        ],
                    ]
                ],
                "oidc": ["clientSecret": "planted-4", "issuer": "https://id.example.com"],
            ],
        ]
        let text = Redaction().object(pod).text
        #expect(!text.contains("planted") && !text.contains("managedFields"))
        for kept in ["stays", "6443", "--v=2", #""key":"password""#, "https://id.example.com", #""name":"API_TOKEN""#] {
            #expect(text.contains(kept), "\(kept): \(text)")
        }
    }

    /// As fast as a dump has to be, whatever is in it.
    @Test func aLogOfAMegabyte() {
        let line =
            "2026-11-22T03:15:00.123456789Z I1122 03:15:00 httplog.go:132] \"HTTP\" verb=\"GET\" URI=\"/api/v1/pods?token=planted\" code=200\n"
        let text = String(repeating: line, count: (1 << 20) / line.utf8.count)
        let start = ContinuousClock.now
        let shown = Redaction().text(text)
        print("1 MiB of log in \(ContinuousClock.now - start)")
        #expect(!shown.contains("planted") && shown.contains("httplog.go:132"))
    }
}

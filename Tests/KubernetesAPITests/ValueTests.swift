import FoundationEssentials
import KubernetesAPI
import Testing

@Suite struct ValueTests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func base64AsRFC4648(text: String, encoded: String) {
        #expect(Base64(text: text).encoded == encoded)
        #expect(Base64(encoded: encoded)?.text == text)
    }

    @Test(arguments: ["Z", "Zg=", "Zm9v=", "====", "Zg==Zg==", "Zm 9", "Z===", "Zm9*"])
    func refusesWhatIsNotBase64(encoded: String) {
        #expect(Base64(encoded: encoded) == nil)
    }

    @Test func everyByteSurvives() {
        let bytes = (0...255).map { UInt8($0) }
        #expect(Base64(encoded: Base64(bytes).encoded)?.bytes == bytes)
    }

    @Test func secretsDoNotPrint() throws {
        let secret = Secret(metadata: ObjectMeta(name: "keys"), data: ["key": Base64(text: "hunter2")])
        var dumped = ""
        dump(secret, to: &dumped)
        for text in ["\(secret)", String(reflecting: secret), dumped] {
            #expect(!text.contains("hunter2"))
            #expect(!text.contains("104"))
        }
    }

    @Test(arguments: [
        ("0", 0), ("8Gi", 8_589_934_592), ("250m", 0.25), ("1.5", 1.5), ("2e3", 2000), (".5", 0.5), ("100n", 1e-7), ("-1", -1),
        ("1E", 1e18),
        ("1Ei", 1_152_921_504_606_846_976), ("3k", 3000),
    ])
    func readsQuantities(text: String, value: Double) throws {
        let quantity = try #require(Quantity(text))
        #expect(abs(quantity.value - value) <= abs(value) * 1e-12)
    }

    @Test(arguments: ["", "Gi", "8 Gi", "8GiB", "1..2", "e3", "8gi", "nan", "inf", "0x10"])
    func refusesWhatIsNotAQuantity(text: String) {
        #expect(Quantity(text) == nil)
    }

    @Test(arguments: [
        ("168h", 604_800), ("1h30m", 5400), ("0s", 0), ("0", 0), ("1.5h", 5400), ("100ms", 0.1), ("-2m", -120), ("8760h0m0s", 31_536_000),
    ])
    func readsGoDurations(text: String, seconds: Double) throws {
        let duration = try #require(GoDuration(text))
        #expect(abs(duration.seconds - seconds) < 1e-9)
    }

    @Test(arguments: ["", "h", "12", "1d", "1h 2m", "one", "9999999999h", "1h-2m"])
    func refusesWhatIsNotAGoDuration(text: String) {
        #expect(GoDuration(text) == nil)
    }

    @Test func printsDurationsAsGo() {
        #expect(GoDuration(seconds: 604_800).description == "168h0m0s")
        #expect(GoDuration(seconds: 90).description == "1m30s")
        #expect(GoDuration(seconds: 0).description == "0s")
    }

    @Test func timestamps() throws {
        let moment = Date(timeIntervalSince1970: 1_785_585_600.25)
        #expect(Timestamp.format(moment) == "2026-08-01T12:00:00Z")
        #expect(Timestamp.formatMicro(moment) == "2026-08-01T12:00:00.250000Z")
        #expect(Timestamp.parse("2026-08-01T12:00:00.250000Z") == moment)
        #expect(Timestamp.parse("2026-08-01T14:00:00+02:00") == Date(timeIntervalSince1970: 1_785_585_600))
        #expect(Timestamp.parse("yesterday") == nil)
    }
}

import Testing

@testable import AdminCLI

@Suite struct ScriptCommandTests {
    @Test func oneLineFetchesVerifiesAndRuns() {
        let join = ScriptCommand(machine: "m", plan: "Join", sha256: "ab", base: "http://192.0.2.1:30080", token: "t.s")
        #expect(
            join.line
                == "curl -fsS http://192.0.2.1:30080/sha256/ab -o nestbox-join-m.sh && echo 'ab  nestbox-join-m.sh' | sha256sum -c --quiet"
                + " && echo t.s | $(command -v sudo) sh nestbox-join-m.sh http://192.0.2.1:30080")
        let clean = ScriptCommand(machine: "m", plan: "Clean", sha256: "ab", base: "https://x")
        #expect(clean.line.hasSuffix("sha256sum -c --quiet && $(command -v sudo) sh nestbox-clean-m.sh https://x"))
    }
}

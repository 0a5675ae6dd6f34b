import Foundation
import KubernetesAPI
import NestboxAPI
import Testing

@testable import AdminCLI

@Suite struct RenderingTests {
    @Test func columnsLineUpAndTheLastIsNotPadded() {
        #expect(Rendering.table([["A", "B"], ["long", "x"]]) == "A      B\nlong   x\n")
        #expect(Rendering.table([["A", "B"], ["a", ""]], indent: 2) == "  A   B\n  a\n")
        #expect(Rendering.table([]) == "")
    }

    @Test func rowsThatComeLaterLineUpWithThoseBefore() {
        var table = Table()
        #expect(table.text([["NAME", "X"], ["long-name", "1"]]) == "NAME        X\nlong-name   1\n")
        #expect(table.text([["a", "2"]]) == "a           2\n")
        #expect(table.text([["a-longer-name", "3"]]) == "a-longer-name   3\n")
    }

    @Test(arguments: [
        ("plain text", "plain text"), ("two\nlines\r\nand more", "two lines and more"), ("a\tb", "a b"),
        ("\u{1B}[2Jgone", "\u{FFFD}[2Jgone"), ("zoë — ✓", "zoë — ✓"),
    ])
    func aCellIsOneLineThatMovesNoCursor(text: String, shown: String) {
        #expect(Rendering.oneLine(text) == shown)
    }

    @Test(arguments: [
        (0, "0s"), (119, "119s"), (120, "2m"), (135, "2m15s"), (600, "10m"), (10_799, "179m"), (10_800, "3h"), (11_100, "3h5m"),
        (28_800, "8h"), (172_799, "47h"), (172_800, "2d"), (180_000, "2d2h"), (691_200, "8d"), (86400 * 400, "400d"),
    ])
    func durationsAreKubectls(seconds: Int, text: String) {
        #expect(Rendering.duration(seconds: seconds) == text)
    }

    @Test func agesAreReadOffBothFormsOfTime() throws {
        let now = try #require(Timestamp.parse("2026-08-01T12:00:00Z"))
        #expect(Rendering.age("2026-08-01T11:59:00Z", now: now) == "60s")
        #expect(Rendering.age("2026-08-01T11:59:00.500000Z", now: now) == "59s")
        // A clock that is behind the server's.
        #expect(Rendering.age("2026-08-01T12:00:09Z", now: now) == "0s")
        #expect(Rendering.age("yesterday", now: now) == "<unknown>")
        #expect(Rendering.age(nil, now: now) == "<unknown>")
    }

    @Test func namesAreThoseThatKubectlTakes() {
        #expect(Rendering.name(HostedCluster.self, "demo") == "hostedcluster.nestbox.dev/demo")
        #expect(Rendering.name(Namespace.self, "demo") == "namespace/demo")
    }

    @Test func textsThatLookLikeOtherTypesAreQuotedInYAML() throws {
        let pool = NodePool(metadata: ObjectMeta(name: "p", labels: ["a": "yes", "b": "1.20", "c": "plain"]))
        let yaml = try Rendering.yaml(pool)
        #expect(yaml.contains("a: 'yes'") && yaml.contains("b: '1.20'") && yaml.contains("c: plain"))
    }

    @Test func theLiveLineStaysOneLine() {
        #expect(LiveLine.line("waiting", frame: 0, elapsed: "5s", width: 80) == "⠋ waiting (5s)")
        let line = LiveLine.line(String(repeating: "x", count: 200), frame: 11, elapsed: "2m5s", width: 40)
        #expect(line.count <= 40 && line.hasPrefix("⠙ xxx") && line.hasSuffix("… (2m5s)"))
    }

    @Test func progressLinesAlign() {
        #expect(ProgressLines.line("host API", .milliseconds(12_345)) == "  12.3 s  host API")
        #expect(ProgressLines.line("built", .seconds(400)) == " 400.0 s  built")
    }
}

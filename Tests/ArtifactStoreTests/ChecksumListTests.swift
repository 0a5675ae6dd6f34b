import Testing

@testable import ArtifactStore

@Suite struct ChecksumListTests {
    private let one = String(repeating: "a", count: 64)
    private let two = String(repeating: "b", count: 64)

    @Test func readsAndWritesWhatSha256sumDoes() throws {
        let list = try #require(ChecksumList(parsing: "\(two)  bin/kubelet\n\(one.uppercased()) *bin/kube-proxy\n"))
        #expect(list.digests == ["bin/kubelet": two, "bin/kube-proxy": one])
        #expect(list.text == "\(one)  bin/kube-proxy\n\(two)  bin/kubelet\n")
    }

    @Test(arguments: ["nonsense", "abc  bin/x", "PATH  bin/x"])
    func refusesWhatIsNone(text: String) { #expect(ChecksumList(parsing: text) == nil) }

    @Test(arguments: ["../x", "/etc/passwd", "bin/../../x", "a//b", "./x"])
    func refusesPathsThatLeaveTheFolder(path: String) { #expect(ChecksumList(parsing: "\(one)  \(path)\n") == nil) }

    @Test func readsChecksumFilesOfBothForms() {
        #expect(ChecksumList.digest(one + "\n") == one)
        #expect(ChecksumList.digest("\(one)  kubelet\n") == one)
        #expect(ChecksumList.digest("<html>not found</html>") == nil)
        #expect(ChecksumList.digest("") == nil)
    }
}

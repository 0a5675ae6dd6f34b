import Testing

@testable import Lab

@Suite("Lab name")
struct LabNameTests {
    @Test(arguments: ["demo", "a", "test-2", "twenty-characters-ok"])
    func dnsLabelsAreTaken(_ text: String) throws {
        #expect(try LabName(text).description == text)
    }

    @Test(arguments: ["", "-a", "a-", "Demo", "a_b", "a.b", "a/b", "..", "ä", "twenty-one-characters"])
    func othersAreRefused(_ text: String) {
        #expect(throws: LabError.self) { try LabName(text) }
    }

    @Test func theInterfaceFitsTheKernel() throws {
        #expect(try LabName("demo").link == "nb-demo")
        #expect(try LabName("twelve-chars").link == "nb-twelve-chars")
        let long = try LabName("thirteen-char").link
        #expect(long.utf8.count <= 15 && long.hasPrefix("nb-"))
        #expect(try LabName("thirteen-chas").link != long)
    }
}

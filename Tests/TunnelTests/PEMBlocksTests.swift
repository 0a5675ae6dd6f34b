import Testing

@testable import Tunnel

@Suite("PEM blocks")
struct PEMBlocksTests {
    @Test("The private key is found between what stands around it")
    func key() {
        let text = """
            -----BEGIN CERTIFICATE-----
            AAAA
            -----END CERTIFICATE-----
            -----BEGIN EC PARAMETERS-----
            BggqhkjOPQMBBw==
            -----END EC PARAMETERS-----
            -----BEGIN EC PRIVATE KEY-----
            BBBB
            CCCC
            -----END EC PRIVATE KEY-----
            -----BEGIN CERTIFICATE-----
            DDDD
            -----END CERTIFICATE-----
            """
        let expected = "-----BEGIN EC PRIVATE KEY-----\nBBBB\nCCCC\n-----END EC PRIVATE KEY-----\n"
        #expect(PEMBlocks.privateKey(in: Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } == expected)
        #expect(PEMBlocks.privateKey(in: Array("-----BEGIN PRIVATE KEY-----\nAAAA\n".utf8)) == nil)
        #expect(PEMBlocks.privateKey(in: []) == nil)
    }
}

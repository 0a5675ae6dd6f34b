import Crypto
import HexDigest
import Testing

struct HexDigestTests {
    @Test func bytesAreTwoLowerCaseDigitsEach() {
        #expect(hexadecimal([]) == "")
        #expect(hexadecimal([0, 9, 10, 0x7f, 255]) == "00090a7fff")
    }

    @Test func theDigestIsWhatSha256sumWrites() {
        #expect(SHA256.hexDigest(of: "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }
}

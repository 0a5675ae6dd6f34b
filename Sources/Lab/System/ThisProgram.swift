import Glibc

/// The program that is running.
enum ThisProgram {
    static func path() throws(LabError) -> String {
        var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
        let count = buffer.withUnsafeMutableBytes { bytes -> Int in
            guard let start = bytes.baseAddress else { return 0 }
            return readlink("/proc/self/exe", start, bytes.count)
        }
        guard count > 0 else { throw LabError("/proc/self/exe cannot be read: \(Files.systemError()): is /proc mounted?") }
        return String(decoding: buffer[..<count], as: UTF8.self)
    }
}

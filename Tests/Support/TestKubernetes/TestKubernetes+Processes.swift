import FoundationEssentials
import Glibc

extension TestKubernetes {
    /// The pid of a process that this server consists of.
    func processID(_ name: String) throws -> pid_t {
        let path = "\(directory)/\(name).pid"
        guard let bytes = FileManager.default.contents(atPath: path),
            let pid = pid_t(String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber })
        else { throw TestKubernetesError("\(path) holds no pid") }
        return pid
    }

    func signal(_ name: String, _ signal: Int32) throws {
        guard kill(try processID(name), signal) == 0 else { throw TestKubernetesError("\(name) does not take signal \(signal)") }
    }
}

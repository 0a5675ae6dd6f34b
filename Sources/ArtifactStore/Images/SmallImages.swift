import KubernetesVersions

/// Debian's static busybox under the names of the commands it stands for.
struct BusyboxFiles: Sendable {
    let sysroot: Sysroot

    func files(_ commands: [String]) throws -> [ImageFile] {
        [.executable("/bin/busybox", copyOf: try sysroot.file("/bin/busybox"))]
            + commands.map { ImageFile("/bin/\($0)", .symbolicLink(to: "busybox")) }
    }
}

/// The images that belong to no release: the pod sandbox, and a workload to try a cluster with.
enum SmallImages {
    static let pauseTag = "3.9"
    static let busyboxTag = "1"

    /// A shell, a web server and the everyday tools.
    static func busybox(_ sysroot: Sysroot) async throws -> ImageBuilder {
        let busybox = try sysroot.file("/bin/busybox")
        let commands = try await Command.output(busybox, ["--list"], purpose: "asking busybox for its commands")
            .split(whereSeparator: \.isNewline).map(String.init).filter { $0 != "busybox" }
        return ImageBuilder(
            reference: "nestbox.dev/busybox:\(busyboxTag)", architecture: sysroot.architecture, arguments: ["sh"],
            files: BaseFiles.standard + [ImageFile("/var/www", .directory)] + (try BusyboxFiles(sysroot: sysroot).files(commands)))
    }

    /// Holds a pod's namespaces: waits for a signal, and reaps what is left to it where a pod shares its processes.
    static func pause(_ architecture: Architecture, scratch: String) async throws -> ImageBuilder {
        guard architecture == .current else {
            throw ArtifactError(.notAvailable, "the pause image for \(architecture.rawValue) is compiled on such a machine only")
        }
        guard let compiler = ["/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang"].first(where: FileSystem.isExecutable) else {
            throw ArtifactError(.missingTools, "the pause image is ten lines of C and needs a compiler: apt-get install gcc libc6-dev")
        }
        let source = "\(scratch)/pause.c"
        try await offPool { try FileSystem.write(pauseSource, to: source) }
        _ = try await Command.output(
            compiler, ["-static", "-Os", "-s", "-Wl,--build-id=none", "-o", "\(scratch)/pause", source], purpose: "compiling pause")
        return ImageBuilder(
            reference: "registry.k8s.io/pause:\(pauseTag)", architecture: architecture, entrypoint: ["/pause"], user: "65535:65535",
            files: [.executable("/pause", copyOf: "\(scratch)/pause")])
    }

    private static let pauseSource = """
        #include <signal.h>
        #include <sys/wait.h>
        int main(void) {
            sigset_t all;
            sigfillset(&all);
            sigprocmask(SIG_BLOCK, &all, 0);
            for (;;) {
                int signal = 0;
                if (sigwait(&all, &signal) != 0) continue;
                if (signal == SIGINT || signal == SIGTERM) return 0;
                while (waitpid(-1, 0, WNOHANG) > 0) {}
            }
        }

        """
}

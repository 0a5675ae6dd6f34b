/// A shared library that a program needs, and where it lies on this computer.
struct SharedLibrary: Sendable, Hashable {
    /// `libseccomp.so.2`, or the absolute path that names the loader.
    var name: String
    var path: String

    /// Where an image has it. The loader has the place that programs name; all others go flat into one folder that the
    /// loader searches anyway, so neither run paths nor LD_LIBRARY_PATH matter.
    func imagePath(_ architecture: Architecture) -> String {
        name.hasPrefix("/") ? name : "/usr/lib/\(architecture.multiarchFolder)/\(name)"
    }

    /// Comes with the C library, which every Debian has: never shipped to a machine, only into images.
    var isCLibrary: Bool {
        let own = [
            "libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libresolv.so.2", "libutil.so.1", "libanl.so.1",
        ]
        return name.hasPrefix("/") || own.contains(name)
    }
}

/// The closure of shared libraries of programs, from what the loader itself says.
enum LibraryClosure {
    /// Of programs on this computer, its own libraries used.
    static func ofLocalPrograms(_ paths: [String]) async throws -> [SharedLibrary] {
        var all: [String: SharedLibrary] = [:]
        for path in paths {
            guard try await offPool({ try ELFHeader(reading: path).isDynamic }) else { continue }
            let listing = try await Command.output("ldd", [path], purpose: "finding the libraries of \(path)")
            for library in try parse(listing, of: path) { all[library.name] = library }
        }
        return all.values.sorted { $0.name < $1.name }
    }

    /// Of programs in an unpacked Debian, by its own loader and with its own libraries.
    static func ofPrograms(_ paths: [String], in sysroot: Sysroot) async throws -> [SharedLibrary] {
        let loader = try sysroot.file(sysroot.architecture.loader)
        var all: [String: SharedLibrary] = [:]
        for path in paths {
            guard try await offPool({ try ELFHeader(reading: path).isDynamic }) else { continue }
            let listing = try await Command.output(
                loader, ["--library-path", sysroot.libraryFolders.joined(separator: ":"), "--list", path],
                purpose: "finding the libraries of \(path)")
            for var library in try parse(listing, of: path) {
                // A library names no loader, so the one that was run shows its own path.
                if library.name.hasPrefix("/") { library.name = sysroot.architecture.loader }
                all[library.name] = library
            }
        }
        return all.values.sorted { $0.name < $1.name }
    }

    /// Reads what `ldd` and the loader's `--list` print.
    static func parse(_ listing: String, of program: String) throws -> [SharedLibrary] {
        var libraries: [SharedLibrary] = []
        for line in listing.split(whereSeparator: \.isNewline) {
            var words = line.split(whereSeparator: \.isWhitespace).map(String.init)
            if words.last?.hasPrefix("(0x") == true { words.removeLast() }
            if words.count >= 3, words[1] == "=>" {
                guard words[2].hasPrefix("/") else {
                    throw ArtifactError(.missingTools, "\(program) needs \(words[0]), which is not on this computer")
                }
                libraries.append(SharedLibrary(name: words[0], path: words[2]))
            } else if words.count == 1, words[0].hasPrefix("/") {
                libraries.append(SharedLibrary(name: words[0], path: words[0]))
            }
            // What is left is the kernel's own (linux-vdso) and "statically linked".
        }
        return libraries
    }
}

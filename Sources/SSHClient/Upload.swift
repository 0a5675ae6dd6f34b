import Crypto
import HexDigest
import Logging

/// What came of an upload.
public enum UploadResult: Sendable, Equatable {
    /// The file was there with this content already.
    case alreadyThere
    case uploaded(bytes: Int)
}

/// How far an upload has come.
public struct UploadProgress: Sendable, Equatable {
    public var sent: Int
    public var total: Int

    public init(sent: Int, total: Int) {
        self.sent = sent
        self.total = total
    }
}

extension SSHConnection {
    /// Brings a local file to the remote path, through a temporary one beside it, so that the path never holds half a file.
    /// The content's SHA-256 is checked on both ends; nothing is sent when the remote file has it already.
    /// - Parameters:
    ///   - sha256: the content's SHA-256 in hex, where the caller knows what it should be.
    ///   - shell: what runs the script there, such as `sudo -n /bin/sh`.
    ///   - stall: how long nothing may go forward.
    public func upload(
        file: String, to path: String, mode: Int, sha256 expected: String? = nil, shell: String = "/bin/sh",
        stall: Duration = .seconds(60), progress: (@Sendable (UploadProgress) -> Void)? = nil
    ) async throws -> UploadResult {
        let target = self.target
        func failed(_ reason: String) -> SSHError { .uploadFailed(target, file: file, path: path, reason: reason) }
        let wanted: String
        do {
            wanted = try expected ?? Self.sha256(of: file)
        } catch let failure as OpenFile.Failure {
            throw failed(failure.reason)
        }
        let opened: OpenFile
        do { opened = try OpenFile(file) } catch { throw failed(error.reason) }
        let script = UploadScript(path: path, mode: mode, sha256: wanted, size: opened.size)
        let check = try await execute("\(shell) -c \(shellQuoted(script.check))", timeout: stall)
        if check.status == 0 { return .alreadyThere }
        guard check.status == UploadScript.absent else { throw failed(Self.words(of: check)) }

        let result: CommandResult
        do {
            result = try await run("the upload of \(file)", timeout: stall) { session, operation in
                try CommandChannel.run(
                    "\(shell) -c \(shellQuoted(script.receive))", input: CommandInput(opened), operation: operation,
                    outputLimit: 4096, session: session, isStalling: true,
                    progress: progress.map { report in { report(UploadProgress(sent: $0, total: opened.size)) } })
            }
        } catch let failure as OpenFile.Failure {
            throw failed(failure.reason)
        }
        guard result.succeeded else { throw failed(Self.words(of: result)) }
        return .uploaded(bytes: opened.size)
    }

    private static func words(of result: CommandResult) -> String {
        let words = result.errorText.split(whereSeparator: \.isNewline).joined(separator: " ").prefix(300)
        return words.isEmpty ? "the remote shell ended with status \(result.status)" : String(words)
    }

    /// The SHA-256 of a local file in hex.
    private static func sha256(of path: String) throws(OpenFile.Failure) -> String {
        let file = try OpenFile(path)
        var hash = SHA256()
        while true {
            let bytes = try file.read(upTo: 1024 * 1024)
            guard !bytes.isEmpty else { break }
            hash.update(data: bytes)
        }
        return hexadecimal(hash.finalize())
    }
}

/// The remote end of an upload, as POSIX shell.
public struct UploadScript: Sendable {
    static let absent: Int32 = 44

    var path: String
    var mode: Int
    var sha256: String
    var size: Int

    public init(path: String, mode: Int, sha256: String, size: Int) {
        self.path = path
        self.mode = mode
        self.sha256 = sha256
        self.size = size
    }

    /// Ends with 0 when the path holds the content; the mode is set either way, for it may be all that differs.
    public var check: String {
        """
        p=\(shellQuoted(path))
        [ -f "$p" ] || exit \(Self.absent)
        s=$(sha256sum < "$p") || exit 1
        [ "${s%% *}" = \(shellQuoted(sha256)) ] || exit \(Self.absent)
        chmod \(octalMode) "$p"
        """
    }

    /// Reads the content from standard input and puts it in place only when its hash is right. Its temporary file is its own:
    /// the receiver of a broken connection may live on for a while, must not meddle, and would keep the room that it took.
    public var receive: String {
        """
        set -eu
        umask 077
        p=\(shellQuoted(path))
        t="$p.upload.$$"
        d=$(dirname "$p")
        mkdir -p "$d"
        for old in "$p".upload.*; do
            [ -e "$old" ] || continue
            for open in /proc/[0-9]*/fd/1; do
                if [ "$open" -ef "$old" ]; then pid=${open#/proc/}; kill -KILL "${pid%%/*}" 2>/dev/null || true; fi
            done
            rm -f "$old"
        done
        room() {
            df -Pk "$d" | awk 'NR == 2 { printf "the file system %s has %d MiB free of %d MiB: make room there", $6, $4 / 1024, $2 / 1024 }'
        }
        if [ "$(df -Pk "$d" | awk 'NR == 2 { print $4 }')" -lt \(size / 1024 + 1024) ]; then
            echo "its \(size / 1_048_576 + 1) MiB do not fit: $(room)" >&2
            exit 1
        fi
        trap 'rm -f "$t"' EXIT
        cat > "$t" || { echo "it could not be written: $(room)" >&2; exit 1; }
        s=$(sha256sum < "$t")
        if [ "${s%% *}" != \(shellQuoted(sha256)) ]; then
            echo "what arrived has SHA-256 ${s%% *}, not \(sha256)" >&2
            exit 1
        fi
        chmod \(octalMode) "$t"
        # After a power cut the path holds nothing or all of it.
        sync "$t"
        mv -f "$t" "$p"
        """
    }

    private var octalMode: String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}

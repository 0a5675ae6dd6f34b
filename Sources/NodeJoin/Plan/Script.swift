import Crypto
import HexDigest
import SSHClient

/// A piece of POSIX shell that runs as root on the machine. It never holds what it was made from: only text.
///
/// In a body `set -eu` holds, standard input is empty, `now` is our clock (seconds since 1970), and these functions exist:
/// `refuse WORDS` (stop: trying again will not help), `report KEY VALUE` (tell us something), `put PATH MODE` (write standard
/// input there, at once and whole), `same PATH MODE SHA256` (whether it is there already).
public struct Script: Sendable, Equatable, ExpressibleByStringLiteral {
    public var body: String

    public init(_ body: String) { self.body = body }
    public init(stringLiteral value: String) { body = value }

    public static func + (left: Script, right: Script) -> Script { Script(left.body + "\n" + right.body) }
}

/// How a script that stopped on purpose says so.
enum ScriptStatus {
    /// A refusal: trying again, unchanged, will not help (EX_CONFIG).
    static let refused: Int32 = 78
    /// Another plan's script still runs (EX_TEMPFAIL).
    static let busy: Int32 = 75
    /// Ended by timeout(1).
    static let timedOut: Int32 = 124
}

extension Script {
    /// The last line of a script that ran to its end: a connection that closes early also yields status 0.
    static let endMarker = "@end"

    /// The whole text for `/bin/sh -s`. The body is a function, so that a text cut off on its way runs not at all, and
    /// commands that read their input cannot eat the rest. `PlanTurn` keeps it from running beside another script.
    /// - Parameters:
    ///   - now: our clock; nil where the script is made before it is run, and there is but the machine's.
    ///   - timeout: what timeout(1) was given for the whole of it.
    func rendered(now: Int?, timeout: Duration) -> String {
        """
        export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        umask 022
        refuse() { printf '%s\\n' "$*" >&2; exit \(ScriptStatus.refused); }
        report() { printf '@%s=%s\\n' "$1" "$2"; }
        put() {
            # After a power cut it is the old one or the new one, and never an empty one. Chained, for who asks whether it could.
            mkdir -p "$(dirname "$1")" && (umask 077; cat > "$1.new") && chmod "$2" "$1.new" && sync "$1.new" && mv -f "$1.new" "$1" ||
                { rm -f "$1.new"; return 1; }
        }
        same() { [ -f "$1" ] && [ "$(stat -c %a "$1")" = "$2" ] && [ "$(sha256sum < "$1")" = "$3  -" ]; }
        \(MachineRoom.functions)
        main() {
        set -eu
        now=\(now.map(String.init) ?? "$(date +%s)")
        \(body)
        }
        \(PlanTurn.take(timeout))
        trap 'status=$?; [ $status = 0 ] || [ $status = \(ScriptStatus.refused) ] || scarce >&2' EXIT
        set -eu
        main < /dev/null 9>&-
        echo \(Self.endMarker)

        """
    }
}

/// `<<'END'`, the text and `END`, or another word where the text has such a line. The text ends with a newline.
func hereDocument(_ text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    var mark = "END"
    while lines.contains(where: { $0 == mark }) { mark += "_" }
    return "<<'\(mark)'\n\(text)\(mark)"
}

/// A small file made here and written there.
struct TextFile: Sendable, Equatable {
    var path: String
    var mode: Int
    var content: String

    init(_ path: String, mode: Int = 0o644, _ content: String) {
        self.path = path
        self.mode = mode
        self.content = content.hasSuffix("\n") ? content : content + "\n"
    }

    /// To the letter but for the newline at the end, which an empty file has not.
    init(_ path: String, mode: Int, whole content: String) {
        self.path = path
        self.mode = mode
        self.content = content.isEmpty || content.hasSuffix("\n") ? content : content + "\n"
    }

    var sha256: String { SHA256.hexDigest(of: content) }

    /// Writes it.
    var put: String {
        return "put \(shellQuoted(path)) \(String(mode, radix: 8)) \(hereDocument(content))"
    }

    /// Whether it is there already.
    var same: String { "same \(shellQuoted(path)) \(String(mode, radix: 8)) \(sha256)" }
}

extension [TextFile] {
    /// Succeeds when all of them are there. Not joined by `&&`, in which `set -e` overlooks a failure.
    var allSame: Script { Script(map(\.same).joined(separator: "\n")) }
    var putAll: Script { Script(map(\.put).joined(separator: "\n")) }
    /// Changes when any of them does.
    var fingerprint: String { SHA256.hexDigest(of: map { "\($0.path) \($0.mode) \($0.sha256)" }.joined(separator: "\n")) }
}

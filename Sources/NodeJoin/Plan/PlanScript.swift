import SSHClient

/// A plan as one script, which a person runs as root on a machine that nobody reaches from outside: the steps, checks, undos, timeouts
/// and retries are the plan's own, and so it may be run again. What the plan uploads it fetches, and takes only what has the SHA-256
/// that stands in it; who has verified the script has verified all of it.
///
/// Its argument is where to fetch from: `http://HOST:PORT`. A secret is not in it, but comes by standard input.
public struct PlanScript: Sendable {
    /// Stands in the plan for the secret.
    public static let secretMark = "@NESTBOX-SECRET@"

    private let plan: Plan
    private let sizes: [String: Int]
    private let wantsSecret: Bool

    /// - Parameter sizes: in bytes, of the files it uploads, by their SHA-256: room is looked for before they are fetched.
    public init(_ plan: Plan, sizes: [String: Int] = [:]) {
        self.plan = plan
        self.sizes = sizes
        wantsSecret = plan.description.contains(Self.secretMark)
    }

    public var text: String {
        """
        #!/bin/sh
        # Nestbox: \(plan.name). Run as root; may be run again.
        export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
        [ "$(id -u)" = 0 ] || { echo "this must run as root" >&2; exit 1; }
        [ -n "${1:-}" ] || { echo "say where to fetch from: http://HOST:PORT" >&2; exit 1; }
        base=$1
        secret=
        \(wantsSecret ? Self.readSecret : "")
        work=$(mktemp -d /run/nestbox-\(plan.name.lowercased()).XXXXXX) || exit 1
        trap 'rm -rf "$work"' EXIT
        trap 'exit 130' INT
        trap 'exit 143' TERM HUP
        # By the shell's own means: no argument of a process holds the secret.
        fill() {
            while IFS= read -r line; do
                case $line in
                *\(Self.secretMark)*) printf '%s%s%s\\n' "${line%%\(Self.secretMark)*}" "$secret" "${line#*\(Self.secretMark)}" ;;
                *) printf '%s\\n' "$line" ;;
                esac
            done
        }
        # run SECONDS: a script from standard input, which must come to its end.
        run() {
            fill | timeout -k 5 "$1" /bin/sh -s > "$work/out"
            code=$?
            [ $code != 0 ] || [ "$(tail -n 1 "$work/out")" = "\(Script.endMarker)" ] || code=1
            return $code
        }
        # fetch SHA256: what receives it is in $work/receive.
        fetch() {
            curl -fsS --connect-timeout 10 --speed-limit 1000 --speed-time 60 "$base/sha256/$1" | /bin/sh "$work/receive"
        }
        # step NAME ATTEMPTS DELAY: check, act and undo are the functions made last.
        step() {
            attempt=1
            pause=$3
            while ! check 2> /dev/null; do
                echo "$1 ..."
                act
                code=$?
                [ $code != 0 ] || return 0
                [ $code = \(ScriptStatus.refused) ] || [ $code = \(ScriptStatus.busy) ] || undo 2> /dev/null || true
                if [ $code = \(ScriptStatus.refused) ] || [ "$attempt" -ge "$2" ]; then
                    echo "\(plan.name) stopped at $1; once that is mended, run the same command again" >&2
                    exit 1
                fi
                sleep "$pause"
                attempt=$((attempt + 1))
                pause=$((pause * 2 > 30 ? 30 : pause * 2))
            done
        }

        \(plan.steps.map(step).joined(separator: "\n"))
        echo "\(plan.name) is done"

        """
    }

    private static let readSecret = """
        IFS= read -r secret || true
        case $secret in
        '' | *[!a-z0-9.]*) echo "the token is to come by standard input: echo TOKEN | sh $0 $1" >&2; exit 1 ;;
        esac
        """

    private func step(_ step: Step) -> String {
        let fence = step.fenced ? plan.fence : nil
        func run(_ script: Script) -> String {
            let text = script.rendered(now: nil, timeout: step.timeout)
            return "run \(max(1, step.timeout.components.seconds)) \(hereDocument(text))"
        }
        func mustRun(_ script: Script) -> String { run(script) + "\n[ $? = 0 ] || return $code" }
        let actions = step.actions.flatMap { action in
            switch action {
            case .script(let script): [mustRun(fence.map { $0 + script } ?? script)]
            case .upload(let uploads): (fence.map { [mustRun($0)] } ?? []) + uploads.map(fetch)
            }
        }
        return """
            check() {
            \(step.check.map(run) ?? "false")
            }
            act() {
            \(actions.joined(separator: "\n"))
            }
            undo() {
            \(step.undo.map { undo in run(fence.map { $0 + undo } ?? undo) } ?? ":")
            }
            step \(step.name) \(step.retry.attempts) \(max(1, step.retry.delay.components.seconds))

            """
    }

    private func fetch(_ upload: Upload) -> String {
        let file = upload.file
        let receiver = UploadScript(path: upload.path, mode: upload.mode, sha256: file.sha256, size: sizes[file.sha256] ?? 0)
        return """
            if ! /bin/sh -s > /dev/null 2>&1 \(hereDocument(receiver.check + "\n"))
            then
            cat > "$work/receive" \(hereDocument(receiver.receive + "\n"))
            fetch \(file.sha256) || return 1
            fi
            """
    }
}

extension Plan {
    /// The files that its steps bring to the machine, each once.
    public var files: [LocalFile] {
        var files: [LocalFile] = []
        for case .upload(let uploads) in steps.flatMap(\.actions) {
            for upload in uploads where !files.contains(upload.file) { files.append(upload.file) }
        }
        return files
    }
}

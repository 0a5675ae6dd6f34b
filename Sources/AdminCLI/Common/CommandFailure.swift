import ArgumentParser
import KubernetesAPI
import KubernetesClient
import NestboxAPI

/// A failure whose text is meant for the person at the terminal.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    let exitCode: ExitCode

    init(_ description: String, exitCode: ExitCode = .failure) {
        self.description = description
        self.exitCode = exitCode
    }
}

extension ExitCode {
    /// As timeout(1).
    static let timedOut = ExitCode(124)
    /// As a shell says of what Ctrl-C ended.
    static let interrupted = ExitCode(130)
}

extension CommandFailure {
    /// What is wrong with an object that was about to be sent, all of it.
    static func refuse(_ problems: [FieldError], of what: String) throws {
        guard let first = problems.first else { return }
        let text = problems.count == 1 ? " \(first)" : problems.map { "\n  \($0)" }.joined()
        throw CommandFailure("\(what) cannot be made so:\(text)", exitCode: .validationFailure)
    }

    /// What any failure of a command says, in one sentence, and the exit code; nil for those that are ArgumentParser's own.
    static func presentation(of error: any Error) -> (text: String, exitCode: ExitCode)? {
        switch error {
        case is ExitCode, is CleanExit, is ValidationError: nil
        case let error as CommandFailure: ("Error: \(error.description)", error.exitCode)
        case let error as KubernetesError: (text(of: error), .failure)
        default: nil
        }
    }

    private static func text(of error: KubernetesError) -> String {
        if error.httpStatus == 404, error.status?.details?.name == nil, error.object.contains(".\(nestboxGroup)") {
            return
                "Error: the host cluster does not know \(error.object.prefix { $0 != " " }): is Nestbox installed there, and is this the "
                + "host's kubeconfig? (kubectl apply -k manifests/crds)"
        }
        switch error.code {
        case .configuration: return "Error: \(error.detail ?? error.description)"
        case .unreachable, .timedOut:
            return "Error: \(error); is the host cluster up, and does the kubeconfig (--kubeconfig, $KUBECONFIG) point to it?"
        default:
            guard let status = error.status, let message = status.message, !message.isEmpty else { return "Error: \(error)" }
            return "Error from server" + (status.reason.map { $0.isEmpty ? "" : " (\($0))" } ?? "") + ": \(message)"
        }
    }
}

import Crypto
import HexDigest
import NestboxAPI

/// What a pool's configuration adds to a plan.
enum ConfiguredSteps {
    private static let markers = "\(NodePaths.configuration)/commands"

    /// Kernel settings and files: before anything of Nestbox's starts. None where nothing is wanted.
    static func settings(_ configuration: NodeConfiguration) -> [Step] {
        var steps: [Step] = []
        if let sysctls = configuration.sysctls {
            steps.append(Step("ConfiguredSysctls", actions: [.script(ConfiguredSysctls.script(sysctls))], timeout: .seconds(30)))
        }
        if let files = configuration.files {
            steps.append(Step("ConfiguredFiles", actions: [.script(ConfiguredFiles.script(files))], timeout: .seconds(30)))
        }
        return steps
    }

    static func preJoin(_ configuration: NodeConfiguration) -> [Step] { commands(configuration.preJoinCommands ?? [], "PreJoinCommand") }
    static func postJoin(_ configuration: NodeConfiguration) -> [Step] { commands(configuration.postJoinCommands ?? [], "PostJoinCommand") }

    /// One step a command. One that ran to its end is not run again, by whichever plan, unless it or one before it has changed.
    private static func commands(_ commands: [String], _ name: String) -> [Step] {
        var history = name
        return commands.enumerated().map { index, command in
            history = SHA256.hexDigest(of: history + "\n" + command)
            let file = TextFile("\(markers)/\(name)-\(index + 1).sh", mode: 0o700, command)
            let marker = "\(markers)/\(name)-\(index + 1).done"
            return Step(
                "\(name)-\(index + 1)", check: Script("[ \"$(cat \(marker) 2>/dev/null)\" = \(history) ]"),
                actions: [
                    .script(
                        Script(
                            """
                            \(file.put)
                            /bin/sh -e \(file.path) > /dev/null
                            echo \(history) > \(marker)
                            """))
                ], timeout: .seconds(300))
        }
    }
}

extension JoinParameters {
    /// Whether a failure at that step may be the pool's configuration's, and not the machine's: no reason to take the machine out of use.
    public func mayBlameConfiguration(forFailureAt step: String) -> Bool {
        guard let configuration = nodeConfiguration.normalized else { return false }
        let own = ["ConfiguredSysctls", "ConfiguredFiles"]
        if own.contains(step) || step.hasPrefix("PreJoinCommand-") || step.hasPrefix("PostJoinCommand-") { return true }
        var early = configuration
        early.postJoinCommands = nil
        // What does not run may not run because of what was set before it started.
        return early.normalized != nil && ["StartServices", "StartKubelet", "LocalChecks"].contains(step)
    }
}

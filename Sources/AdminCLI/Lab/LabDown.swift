import ArgumentParser
import Lab

/// `nestbox lab down`: no trace but the cache.
struct LabDown: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Remove a lab: its processes, network, control groups and files.",
        discussion: "Example:\n  sudo nestbox lab down --name test")

    @OptionGroup var options: LabOptions

    func run() async throws {
        try await options.lab(progress: ProgressLines().lab).down()
    }
}

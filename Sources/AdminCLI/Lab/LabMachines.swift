import ArgumentParser
import Lab

/// `nestbox lab machines`: for scripts.
struct LabMachines: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machines", abstract: "List a lab's machines, one a line: name, address, user, SSH key.",
        discussion:
            "Example:\n  nestbox lab machines | while read -r name address user key; do ssh -i \"$key\" \"$user@$address\" uptime; done")

    @OptionGroup var options: LabOptions

    func run() async throws {
        let state = try await options.state()
        for machine in state.machines {
            Terminal.write("\(machine.name) \(machine.address) \(machine.user) \(state.sshKeyPath)\n")
        }
    }
}

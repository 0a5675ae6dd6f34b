import ArgumentParser

struct MachineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Look at a machine, clean it, take it out of use and back.",
        discussion: """
            What is asked for is written into the Machine's annotation nestbox.dev/request, and the machines operator, which alone speaks \
            SSH, answers in its status: this computer needs no way to the machine.

            Examples:
              nestbox machine check rack12-07
              nestbox machine logs rack12-07 -f --unit kubelet
              nestbox machine quarantine rack12-07 --reason "fan 2 is dead, ticket 4711"
              nestbox machine release rack12-07 --wait
              nestbox machine clean rack12-07 --force --wait
              nestbox machine accept-host-key rack12-07 --fingerprint SHA256:...
              nestbox machine rotate-key rack12-07 --ssh-key new-key
              nestbox machine reimaged rack12-07
            """,
        subcommands: [
            MachineCheck.self, MachineClean.self, MachineQuarantine.self, MachineRelease.self, MachineLogs.self, MachineAcceptHostKey.self,
            MachineRotateKey.self, MachineReimaged.self,
        ],
        aliases: ["mach"])
}

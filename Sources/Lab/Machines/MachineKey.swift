/// The key with which the machines let one in: made for each lab, Ed25519.
enum MachineKey {
    static func ensure(_ paths: LabPaths) async throws {
        if Files.exists(paths.sshKey), Files.exists(paths.authorizedKey) { return }
        try await offPool { try Files.createFolder("\(paths.state)/ssh", mode: 0o700) }
        // ssh-keygen would ask before it wrote over half a pair.
        try await Command.output("rm", ["-f", paths.sshKey, paths.authorizedKey], purpose: "making the machines' SSH key")
        try await Command.output(
            "ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", "nestbox-lab", "-f", paths.sshKey],
            purpose: "making the machines' SSH key")
    }
}

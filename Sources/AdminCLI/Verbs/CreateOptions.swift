import ArgumentParser
import KubernetesAPI
import KubernetesClient

/// What every `create` takes.
struct CreateOptions: ParsableArguments {
    @Flag(name: .customLong("dry-run"), help: "Print the object instead of creating it.")
    var dryRun = false

    @Option(name: [.customShort("o"), .customLong("output")], help: "Print the object so; with --dry-run yaml unless given.")
    var format: Format?

    @OptionGroup var waiting: WaitOptions

    enum Format: String, ExpressibleByArgument, CaseIterable { case yaml, json, name }
}

extension CreateOptions {
    func create<T: KubernetesObject>(_ object: T, with client: KubernetesClient) async throws {
        try show(try await client.create(object), or: "\(Rendering.name(T.self, object.name)) created\n")
    }

    /// For a dry run.
    func show(_ object: some KubernetesObject) throws { try show(object, or: Rendering.yaml(object)) }

    private func show<T: KubernetesObject>(_ object: T, or plain: @autoclosure () throws -> String) throws {
        let text =
            switch format {
            case .yaml: try Rendering.yaml(object)
            case .json: try Rendering.json(object)
            case .name: Rendering.name(T.self, object.name) + "\n"
            case nil: try plain()
            }
        Terminal.write(text)
    }
}

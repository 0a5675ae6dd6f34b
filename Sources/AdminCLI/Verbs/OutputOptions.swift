import ArgumentParser

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, wide, json, yaml, name
}

/// How `get` shows what it finds.
struct OutputOptions: ParsableArguments {
    @Option(name: [.customShort("o"), .customLong("output")], help: "The form of what is printed.")
    var format: OutputFormat = .table

    @Option(name: [.customShort("l"), .customLong("selector")], help: "Labels to select by, such as env=prod.")
    var selector: String?

    @Flag(name: [.customShort("A"), .long], help: "All namespaces.")
    var allNamespaces = false

    @Flag(name: [.short, .long], help: "Go on watching after the list.")
    var watch = false
}

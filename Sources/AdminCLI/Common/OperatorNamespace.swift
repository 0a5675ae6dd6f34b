import ArgumentParser

/// Where the operators are installed.
struct OperatorNamespace: ParsableArguments {
    @Option(name: .customLong("operator-namespace"), help: ArgumentHelp("The operators' namespace.", valueName: "namespace"))
    var name = "nestbox-system"
}

import ArgumentParser
struct LabCommand: AsyncParsableCommand {}

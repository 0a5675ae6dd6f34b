import Glibc

// `Fuzz list`, `Fuzz seeds TARGET FOLDER`, or `Fuzz run TARGET ARGUMENT...` with libFuzzer's own arguments: `-seed=`,
// `-max_total_time=`, folders of inputs to begin with, or a file to replay.

@_silgen_name("LLVMFuzzerRunDriver")
func runDriver(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

let arguments = CommandLine.arguments
switch arguments.dropFirst().first {
case "list": Target.all.forEach { print($0.name) }
case "seeds" where arguments.count == 4:
    for (index, seed) in Target.chosen.seeds.enumerated() {
        guard let file = fopen("\(arguments[3])/seed-\(index)", "w") else { fatalError("cannot write to \(arguments[3])") }
        fwrite(seed, 1, seed.count, file)
        fclose(file)
    }
case "run" where arguments.count >= 3:
    var passed: [UnsafeMutablePointer<CChar>?] = ([arguments[0]] + arguments.dropFirst(3)).map { strdup($0) } + [nil]
    var count = CInt(passed.count - 1)
    passed.withUnsafeMutableBufferPointer { buffer in
        var pointer = buffer.baseAddress
        exit(
            runDriver(&count, &pointer) { bytes, length in
                Target.chosen.run(Array(UnsafeBufferPointer(start: bytes, count: length)))
                return 0
            })
    }
default:
    print("usage: Fuzz list | seeds TARGET FOLDER | run TARGET ARGUMENT...")
    exit(64)
}

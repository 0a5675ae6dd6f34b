import Testing

@testable import AdminCLI

@Suite struct RenderingTests {
    @Test func columnsLineUpAndTheLastIsNotPadded() {
        #expect(Rendering.table([["A", "B"], ["long", "x"]]) == "A      B\nlong   x\n")
        #expect(Rendering.table([]) == "")
    }
}

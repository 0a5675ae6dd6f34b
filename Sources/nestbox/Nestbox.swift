import AdminCLI

@main
enum Nestbox {
    static func main() async {
        await NestboxCommand.main()
    }
}

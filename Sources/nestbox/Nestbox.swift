import AdminCLI
import ArgumentParser

@main
enum Nestbox {
    static func main() async {
        await NestboxCommand.main()
    }
}

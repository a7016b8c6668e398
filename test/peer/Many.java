/* Many scripts in one virtual machine: Many SCRIPTS ANSWERS.
 *
 * A line of SCRIPTS is two fields and a script, set apart by tabs, with \n for its line ends; ANSWERS gets the same
 * lines with what SystemDS printed instead of the script. Janino, which SystemDS brings along, compiles and runs this,
 * so that no compiler is needed: java -cp ... org.codehaus.janino.SimpleCompiler Many.java Many SCRIPTS ANSWERS
 */
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.util.List;

public class Many {
    public static void main(String[] args) throws Exception {
        List lines = Files.readAllLines(new File(args[0]).toPath());
        PrintWriter answers = new PrintWriter(args[1], "UTF-8");

        for (int k = 0; k < lines.size(); k++) {
            String[] field = ((String) lines.get(k)).split("\t");

            answers.println(field[0] + "\t" + field[1] + "\t" + escape(run(unescape(field[2]))));
        }
        answers.close();
        System.exit(0);
    }

    private static String run(String script) throws Exception {
        PrintStream console = System.out;
        ByteArrayOutputStream printed = new ByteArrayOutputStream();

        System.setOut(new PrintStream(printed, true, "UTF-8"));
        try {
            org.apache.sysds.api.DMLScript.main(new String[] {"-exec", "singlenode", "-s", script});
        } catch (Throwable t) {
            System.out.println("An Error Occurred: " + t);
        }
        System.out.flush();
        System.setOut(console);
        return printed.toString("UTF-8");
    }

    private static String escape(String text) {
        return text.replace("\\", "\\\\").replace("\n", "\\n").replace("\t", " ");
    }

    private static String unescape(String text) {
        StringBuilder out = new StringBuilder();

        for (int k = 0; k < text.length(); k++) {
            char c = text.charAt(k);

            if (c == '\\' && ++k < text.length())
                c = text.charAt(k) == 'n' ? '\n' : text.charAt(k);
            out.append(c);
        }
        return out.toString();
    }
}

package oracle;

import java.io.File;
import java.io.FileInputStream;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

/** veraPDF: pairs of flavour (3a, 3b, ua1, …) and file; one tab-separated line a pair, failures behind it. */
public final class Verapdf {
    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        for (int i = 0; i + 1 < arguments.length; i += 2) {
            PDFAFlavour flavour = PDFAFlavour.byFlavourId(arguments[i]);
            String name = arguments[i + 1];
            try (PDFAParser parser = Foundries.defaultInstance().createParser(
                    new FileInputStream(new File(name)), flavour);
                 PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false)) {
                ValidationResult result = validator.validate(parser);
                StringBuilder line = new StringBuilder(name + "\t" + arguments[i] + "\t"
                    + (result.isCompliant() ? "compliant" : "failed") + "\t" + result.getTotalAssertions());
                int shown = 0;
                for (TestAssertion assertion : result.getTestAssertions()) {
                    if (assertion.getStatus() == TestAssertion.Status.FAILED && shown++ < 12) {
                        line.append("\t").append(assertion.getRuleId().getClause()).append("-")
                            .append(assertion.getRuleId().getTestNumber()).append(" ")
                            .append(String.valueOf(assertion.getMessage()).replaceAll("\\s+", " "))
                            .append(" @ ").append(assertion.getLocation().getContext());
                    }
                }
                System.out.println(line);
            } catch (Exception e) {
                System.out.println(name + "\t" + arguments[i] + "\terror " + e);
            }
        }
    }
}

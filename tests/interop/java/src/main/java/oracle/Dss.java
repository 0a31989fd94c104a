package oracle;

import eu.europa.esig.dss.enumerations.Indication;
import eu.europa.esig.dss.jaxb.object.Message;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.CommonCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.simplereport.SimpleReport;
import eu.europa.esig.dss.diagnostic.DiagnosticData;
import eu.europa.esig.dss.diagnostic.SignatureWrapper;
import eu.europa.esig.dss.validation.SignedDocumentValidator;
import eu.europa.esig.dss.validation.reports.Reports;
import java.io.File;
import java.io.FileInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * EU DSS, offline: Dss anchors.pem[,…] crl.der[,…] file… ; one tab-separated line a signature.
 * Dss @list reads lines of file, anchors, crls and moment (ISO 8601) between tabs: hundreds of files in one machine.
 */
public final class Dss {
    private static final Map<String, CommonCertificateVerifier> VERIFIERS = new HashMap<>();

    public static void main(String[] arguments) throws Exception {
        if (arguments[0].startsWith("@")) {
            for (String line : Files.readAllLines(Path.of(arguments[0].substring(1)))) {
                String[] parts = line.split("\t", -1);
                report(parts[0], verifier(parts[1], parts[2]), Date.from(Instant.parse(parts[3])));
            }
            return;
        }
        for (int i = 2; i < arguments.length; i++) {
            report(arguments[i], verifier(arguments[0], arguments[1]), null);
        }
    }

    private static CommonCertificateVerifier verifier(String anchors, String lists) throws Exception {
        CommonCertificateVerifier known = VERIFIERS.get(anchors + "\t" + lists);
        if (known != null) {
            return known;
        }
        CommonTrustedCertificateSource trusted = new CommonTrustedCertificateSource();
        for (String anchor : anchors.split(",")) {
            trusted.addCertificate(DSSUtils.loadCertificate(new File(anchor)));
        }
        List<java.io.InputStream> open = new ArrayList<>();
        for (String list : lists.isEmpty() ? new String[0] : lists.split(",")) {
            open.add(new FileInputStream(list));
        }
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setTrustedCertSources(trusted);
        verifier.setCrlSource(new ExternalResourcesCRLSource(open.toArray(new java.io.InputStream[0])));
        VERIFIERS.put(anchors + "\t" + lists, verifier);
        return verifier;
    }

    /** What is made of each signature timestamp, and the time it proves. */
    private static String stamps(SimpleReport simple, String id) {
        return simple.getSignatureTimestamps(id).stream()
            .map(stamp -> stamp.getIndication() + " " + stamp.getProductionTime().toInstant())
            .collect(Collectors.joining("; "));
    }

    private static String words(List<Message> messages) {
        return messages.stream().map(Message::getValue).collect(Collectors.joining("; ", "[", "]"));
    }

    private static void report(String name, CommonCertificateVerifier verifier, Date at) {
        try {
            SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(name));
            validator.setCertificateVerifier(verifier);
            if (at != null) {
                validator.setValidationTime(at);
            }
            Reports reports = validator.validateDocument();
            SimpleReport simple = reports.getSimpleReport();
            if (simple.getSignatureIdList().isEmpty()) {
                System.out.println(name + "\tunsigned\t-\t-\t-\t-\t-");
            }
            DiagnosticData facts = reports.getDiagnosticData();
            for (String id : simple.getSignatureIdList()) {
                SignatureWrapper signature = facts.getSignatureById(id);
                Indication indication = simple.getIndication(id);
                System.out.println(String.join("\t", name, String.valueOf(indication),
                    String.valueOf(simple.getSubIndication(id)), String.valueOf(simple.getSignatureFormat(id)),
                    signature.isSignatureIntact() ? "intact" : "broken",
                    stamps(simple, id),
                    words(simple.getAdESValidationErrors(id)) + words(simple.getAdESValidationWarnings(id))));
            }
        } catch (Exception | StackOverflowError | OutOfMemoryError e) {
            String said = String.valueOf(e.getMessage()).replaceAll("\\s+", " ");
            System.out.println(name + "\terror\t" + e.getClass().getSimpleName() + "\t-\t-\t-\t" + said);
        }
    }
}

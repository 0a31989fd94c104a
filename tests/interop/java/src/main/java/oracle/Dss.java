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
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/** EU DSS, offline: Dss anchors.pem[,…] crl.der[,…] file… ; one tab-separated line a signature. */
public final class Dss {
    public static void main(String[] arguments) throws Exception {
        CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
        for (String anchor : arguments[0].split(",")) {
            anchors.addCertificate(DSSUtils.loadCertificate(new File(anchor)));
        }
        String[] lists = arguments[1].isEmpty() ? new String[0] : arguments[1].split(",");
        for (int i = 2; i < arguments.length; i++) {
            List<java.io.InputStream> open = new ArrayList<>();
            for (String list : lists) {
                open.add(new FileInputStream(list));
            }
            CommonCertificateVerifier verifier = new CommonCertificateVerifier();
            verifier.setTrustedCertSources(anchors);
            verifier.setCrlSource(new ExternalResourcesCRLSource(open.toArray(new java.io.InputStream[0])));
            report(arguments[i], verifier);
        }
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

    private static void report(String name, CommonCertificateVerifier verifier) {
        try {
            SignedDocumentValidator validator = SignedDocumentValidator.fromDocument(new FileDocument(name));
            validator.setCertificateVerifier(verifier);
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
        } catch (Exception e) {
            System.out.println(name + "\terror\t" + e.getClass().getSimpleName() + "\t-\t-\t-\t" + e.getMessage());
        }
    }
}

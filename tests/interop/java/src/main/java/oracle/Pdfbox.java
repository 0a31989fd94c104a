package oracle;

import java.io.File;
import java.nio.file.Files;
import java.util.Collection;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** PDFBox finds the signatures, Bouncy Castle checks them: one tab-separated line a signature. */
public final class Pdfbox {
    public static void main(String[] files) throws Exception {
        java.security.Security.addProvider(new BouncyCastleProvider());
        for (String name : files) {
            byte[] bytes = Files.readAllBytes(new File(name).toPath());
            try (PDDocument document = Loader.loadPDF(bytes)) {
                if (document.getSignatureDictionaries().isEmpty()) {
                    System.out.println(name + "\tunsigned\t-");
                }
                for (PDSignature signature : document.getSignatureDictionaries()) {
                    System.out.println(name + "\t" + verdict(signature, bytes) + "\t" + coverage(signature, bytes));
                }
            } catch (Exception e) {
                System.out.println(name + "\terror " + e.getClass().getSimpleName() + "\t-");
            }
        }
    }

    private static String verdict(PDSignature signature, byte[] bytes) throws Exception {
        CMSSignedData cms = new CMSSignedData(
            new CMSProcessableByteArray(signature.getSignedContent(bytes)), signature.getContents(bytes));
        SignerInformation signer = cms.getSignerInfos().getSigners().iterator().next();
        Collection<X509CertificateHolder> found = cms.getCertificates().getMatches(signer.getSID());
        boolean intact = signer.verify(
            new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(found.iterator().next()));
        return intact ? "intact" : "broken";
    }

    private static String coverage(PDSignature signature, byte[] bytes) {
        int[] range = signature.getByteRange();
        return range[0] == 0 && range[2] + range[3] == bytes.length ? "whole" : "partial";
    }
}

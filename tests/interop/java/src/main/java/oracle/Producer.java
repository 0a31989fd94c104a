package oracle;

import eu.europa.esig.dss.enumerations.DigestAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureAlgorithm;
import eu.europa.esig.dss.enumerations.SignatureLevel;
import eu.europa.esig.dss.model.DSSDocument;
import eu.europa.esig.dss.model.FileDocument;
import eu.europa.esig.dss.model.SignatureValue;
import eu.europa.esig.dss.model.x509.CertificateToken;
import eu.europa.esig.dss.pades.PAdESSignatureParameters;
import eu.europa.esig.dss.pades.SignatureFieldParameters;
import eu.europa.esig.dss.pades.SignatureImageParameters;
import eu.europa.esig.dss.pades.SignatureImageTextParameters;
import eu.europa.esig.dss.pades.signature.PAdESService;
import eu.europa.esig.dss.spi.DSSUtils;
import eu.europa.esig.dss.spi.validation.CommonCertificateVerifier;
import eu.europa.esig.dss.spi.x509.CommonTrustedCertificateSource;
import eu.europa.esig.dss.spi.x509.revocation.crl.ExternalResourcesCRLSource;
import eu.europa.esig.dss.spi.x509.tsp.KeyEntityTSPSource;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.nio.file.Files;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Calendar;
import java.util.Date;
import java.util.List;
import org.apache.pdfbox.Loader;
import org.apache.pdfbox.pdmodel.PDDocument;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.PDSignature;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.SignatureOptions;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.visible.PDVisibleSigProperties;
import org.apache.pdfbox.pdmodel.interactive.digitalsignature.visible.PDVisibleSignDesigner;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/** Signs as others do: Producer signer.p12 tsa.p12 password crl.der[,…] root.pem (kind in.pdf out.pdf)… */
public final class Producer {
    private final PrivateKey key;
    private final X509Certificate[] chain;
    private final PAdESService service;

    private Producer(String[] arguments) throws Exception {
        KeyStore store = load(arguments[0], arguments[2]);
        String alias = store.aliases().nextElement();
        key = (PrivateKey) store.getKey(alias, arguments[2].toCharArray());
        chain = Arrays.stream(store.getCertificateChain(alias)).toArray(X509Certificate[]::new);
        CommonTrustedCertificateSource anchors = new CommonTrustedCertificateSource();
        anchors.addCertificate(DSSUtils.loadCertificate(new File(arguments[4])));
        List<InputStream> lists = new ArrayList<>();
        for (String list : arguments[3].split(",")) {
            lists.add(new FileInputStream(list));
        }
        CommonCertificateVerifier verifier = new CommonCertificateVerifier();
        verifier.setTrustedCertSources(anchors);
        verifier.setCrlSource(new ExternalResourcesCRLSource(lists.toArray(new InputStream[0])));
        KeyStore stamps = load(arguments[1], arguments[2]);
        KeyEntityTSPSource authority =
            new KeyEntityTSPSource(stamps, stamps.aliases().nextElement(), arguments[2].toCharArray());
        authority.setTsaPolicy("1.3.6.1.4.1.13762.3");
        service = new PAdESService(verifier);
        service.setTspSource(authority);
    }

    public static void main(String[] arguments) throws Exception {
        System.setProperty("java.awt.headless", "true");
        Producer producer = new Producer(arguments);
        for (int i = 5; i + 2 < arguments.length; i += 3) {
            String kind = arguments[i];
            if (kind.startsWith("pdfbox")) {
                producer.pdfbox(arguments[i + 1], arguments[i + 2], kind.endsWith("visible"));
            } else {
                producer.dss(kind, arguments[i + 1], arguments[i + 2]);
            }
            System.out.println(kind + "\t" + arguments[i + 2]);
        }
    }

    private static KeyStore load(String name, String password) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        try (InputStream stream = new FileInputStream(name)) {
            store.load(stream, password.toCharArray());
        }
        return store;
    }

    /** PDFBox writes the update, Bouncy Castle the CMS: adbe.pkcs7.detached, as in PDFBox's own examples. */
    private void pdfbox(String in, String out, boolean visible) throws Exception {
        byte[] source = Files.readAllBytes(new File(in).toPath());
        try (PDDocument document = Loader.loadPDF(source);
             SignatureOptions options = new SignatureOptions();
             FileOutputStream stream = new FileOutputStream(out)) {
            PDSignature signature = new PDSignature();
            signature.setFilter(PDSignature.FILTER_ADOBE_PPKLITE);
            signature.setSubFilter(PDSignature.SUBFILTER_ADBE_PKCS7_DETACHED);
            signature.setName("PDFBox");
            signature.setSignDate(Calendar.getInstance());
            if (visible) {
                BufferedImage picture = new BufferedImage(120, 40, BufferedImage.TYPE_INT_RGB);
                picture.createGraphics().setColor(Color.RED);
                PDVisibleSignDesigner designer =
                    new PDVisibleSignDesigner(document, picture, 1);
                designer.xAxis(50).yAxis(50).width(120).height(40).signatureFieldName("Visible");
                PDVisibleSigProperties properties = new PDVisibleSigProperties();
                properties.signerName("PDFBox").visualSignEnabled(true).page(1)
                    .setPdVisibleSignature(designer).buildSignature();
                options.setVisualSignature(properties.getVisibleSignature());
            }
            document.addSignature(signature, this::cms, options);
            document.saveIncremental(stream);
        }
    }

    private byte[] cms(InputStream content) {
        try {
            CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
            generator.addSignerInfoGenerator(new JcaSignerInfoGeneratorBuilder(
                new JcaDigestCalculatorProviderBuilder().build())
                .build(new JcaContentSignerBuilder("SHA256withRSA").build(key), chain[0]));
            generator.addCertificates(new JcaCertStore(Arrays.<Certificate>asList(chain)));
            return generator.generate(new CMSProcessableByteArray(content.readAllBytes()), false).getEncoded();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    /** EU DSS, kind is dss-B, dss-T, dss-LT or dss-LTA, with "-visible" behind it or not. */
    private void dss(String kind, String in, String out) throws Exception {
        PAdESSignatureParameters parameters = new PAdESSignatureParameters();
        String level = kind.split("-")[1];
        parameters.setSignatureLevel(SignatureLevel.valueByName("PAdES-BASELINE-" + level));
        parameters.setDigestAlgorithm(DigestAlgorithm.SHA256);
        parameters.setSigningCertificate(new CertificateToken(chain[0]));
        List<CertificateToken> tokens = new ArrayList<>();
        for (X509Certificate certificate : chain) {
            tokens.add(new CertificateToken(certificate));
        }
        parameters.setCertificateChain(tokens);
        parameters.bLevel().setSigningDate(new Date());
        if (kind.endsWith("visible")) {
            SignatureImageTextParameters text = new SignatureImageTextParameters();
            text.setText("Signed by DSS");
            SignatureFieldParameters field = new SignatureFieldParameters();
            field.setPage(1);
            field.setOriginX(50);
            field.setOriginY(50);
            field.setWidth(120);
            field.setHeight(40);
            SignatureImageParameters image = new SignatureImageParameters();
            image.setTextParameters(text);
            image.setFieldParameters(field);
            parameters.setImageParameters(image);
        }
        DSSDocument document = new FileDocument(in);
        Signature signer = Signature.getInstance("SHA256withRSA");
        signer.initSign(key);
        signer.update(service.getDataToSign(document, parameters).getBytes());
        SignatureValue value = new SignatureValue(SignatureAlgorithm.RSA_SHA256, signer.sign());
        service.signDocument(document, parameters, value).save(out);
    }
}

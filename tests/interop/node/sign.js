// Signs as a Node service would: node sign.js signer.p12 password (plain|pdf-lib|plain-visible|pdf-lib-visible|pdf-lib-cades in out)…
const fs = require("fs");
const { SignPdf } = require("@signpdf/signpdf");
const { P12Signer } = require("@signpdf/signer-p12");
const { plainAddPlaceholder } = require("@signpdf/placeholder-plain");
const { pdflibAddPlaceholder } = require("@signpdf/placeholder-pdf-lib");
const { SUBFILTER_ETSI_CADES_DETACHED } = require("@signpdf/utils");
const { PDFDocument } = require("pdf-lib");

const about = { reason: "test", contactInfo: "nobody@example.invalid", name: "signpdf", location: "nowhere" };

async function prepared(kind, source) {
  const widgetRect = kind.endsWith("visible") ? [50, 50, 170, 90] : undefined;
  if (kind.startsWith("plain")) {
    return plainAddPlaceholder({ pdfBuffer: source, ...about, widgetRect });
  }
  const pdfDoc = await PDFDocument.load(source);
  // With this SubFilter @signpdf still writes no signing-certificate attribute: it is not PAdES, but an honest signature.
  const subFilter = kind.endsWith("cades") ? SUBFILTER_ETSI_CADES_DETACHED : undefined;
  pdflibAddPlaceholder({ pdfDoc, ...about, widgetRect, subFilter });
  return Buffer.from(await pdfDoc.save());
}

async function main([p12, passphrase, ...jobs]) {
  for (let i = 0; i + 2 < jobs.length; i += 3) {
    const signer = new P12Signer(fs.readFileSync(p12), { passphrase });
    const pdf = await new SignPdf().sign(await prepared(jobs[i], fs.readFileSync(jobs[i + 1])), signer);
    fs.writeFileSync(jobs[i + 2], pdf);
  }
}

main(process.argv.slice(2)).catch((error) => {
  console.error(error);
  process.exit(1);
});

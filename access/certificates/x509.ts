// The library finds its parts by this one, and leaves it to its users to bring it, first.
import 'reflect-metadata';

export {
	AuthorityKeyIdentifierExtension,
	BasicConstraintsExtension,
	ExtendedKeyUsage,
	ExtendedKeyUsageExtension,
	type Extension,
	KeyUsageFlags,
	KeyUsagesExtension,
	type Name,
	Pkcs10CertificateRequest,
	type PublicKeyType,
	SubjectKeyIdentifierExtension,
	X509Certificate,
	X509CertificateGenerator,
	X509Certificates,
	X509Crl,
	X509CrlGenerator,
} from '@peculiar/x509';

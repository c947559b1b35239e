export { apiKeyMatches, hashApiKey, newApiKey } from './api-key.js';
export { LinkSigner, type LinkSignature, type LinkVerdict } from './link-signer.js';
export { SealedSecretError, SecretBox } from './secret-box.js';
export { loadSecretKey, SecretKeyError } from './secret-key.js';
export { hashPassword, passwordMatches } from './password.js';

export { AccessTokens, type TokenRequest } from './access-tokens.js';

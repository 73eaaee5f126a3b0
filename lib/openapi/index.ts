export { applySecurityToDocument, type SecurityDocumentOptions } from './security-document.js';

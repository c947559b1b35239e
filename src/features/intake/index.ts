export { countedRecords, RecordCounter } from './count-records.js';
export { IntakeModule } from './intake.module.js';
export {
  IntakeService,
  type IntakeInput,
  type PushedUpload,
  type TakenUpload,
  type UploadedFile,
} from './intake.service.js';
export type { OpenUpload } from './open-upload.js';
export { UploadInputs, type UploadInput } from './upload-inputs.js';

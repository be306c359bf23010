/** The package under this alias is Express 4; what the suites use of it is typed as in Express 5. */
declare module "express4" {
  import express from "express";
  export default express;
}
